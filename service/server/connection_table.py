"""All open connections of a worker, and the bytes counted for them."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence

from service.server.connection import Connection, State
from service.server.limits import Limits
from service.server.outgoing import Held
from service.server.poller import Poller

_CLOSED_FIRST = {State.LINGERING: 0, State.IDLE: 1, State.BODY: 3, State.SENDING: 4}

_log = logging.getLogger("service.server")


class Connections:
    """Keeps the sums of bytes within their limits by ending connections. Belongs to the loop's thread."""

    def __init__(self, poller: Poller, limits: Limits) -> None:
        self._poller = poller
        self.limits = limits
        self._held = Held()
        self._full = False
        self.incoming = 0
        """Bytes of incomplete requests."""
        self.open: set[Connection] = set()

    @property
    def held(self) -> int:
        """Bytes of answers that clients have not read yet; bodies shared by several are counted once."""
        return self._held.bytes

    @property
    def are_full(self) -> bool:
        """Whether one more connection has to displace another."""
        return len(self.open) >= self.limits.connections

    def safely(self, step: Callable[[Connection], None], connection: Connection) -> None:
        """Run a step for a connection; an exception ends this connection only."""
        try:
            step(connection)
        except OSError:
            self.end(connection)
        except Exception:  # noqa: BLE001 - it is in the log with its stack
            _log.exception("a connection failed", extra={"event": "connections"})
            self.end(connection)

    def end(self, connection: Connection) -> None:
        """Close a connection in any state; a thread that makes its answer notices."""
        if connection.state is State.CLOSED:
            return
        self.open.discard(connection)
        self.count_incoming(connection, 0)
        self._poller.watch(connection, 0)
        with connection.outgoing.lock:
            connection.state = State.CLOSED
            connection.outgoing.give_up()
            connection.socket.close()
        self.release(connection, 0)
        stream, connection.stream = connection.stream, None
        if stream is not None:
            stream.close()

    def has_room(self) -> bool:
        """Whether there is room for one more connection, if need be by ending another."""
        full = self.are_full
        if full != self._full:
            self._full = full
            if full:
                _log.warning("connection limit reached", extra={"event": "connections"})
        return not full or self.make_room()

    def make_room(self) -> bool:
        """End a connection: first lingering ones, then idle ones, incomplete requests, and clients that read nothing.

        Of each kind, the one that has waited longest.
        """
        stalled = self._stalled()
        candidates = [
            (_rank(connection), connection.deadline, connection)
            for connection in self.open
            if connection.state in _CLOSED_FIRST
            and (connection.state is not State.SENDING or connection.deadline < stalled)
        ]
        candidates.sort(key=lambda candidate: candidate[:2])
        for _, _, connection in candidates[: 1 + self.limits.connections // 32]:
            self.end(connection)
        return bool(candidates)

    def count_incoming(self, connection: Connection, size: int) -> None:
        """Count ``size`` bytes of an incomplete request, if need be by ending the oldest others."""
        self.incoming += size - connection.counted
        connection.counted = size
        while self.incoming > self.limits.incoming_bytes:
            waiting = [each for each in self.open if each.counted]
            self.end(min(waiting, key=lambda each: each.deadline))

    def hold(self, connection: Connection, answer: Sequence[bytes], ahead: int) -> bool:
        """Count the bytes of an answer, and ``ahead`` for the rest of it; whether there is room.

        If need be, clients that read nothing are ended.
        """
        if not self._has_room_for(answer, ahead):
            stalled = self._stalled()
            others = [each for each in self.open if (each.held or each.held_ahead) and each.deadline < stalled]
            others.sort(key=lambda each: each.deadline)
            for each in others:
                self.end(each)
                if self._has_room_for(answer, ahead):
                    break
            else:
                return False
        self._held.add(answer)
        connection.held.extend(answer)
        self._held.bytes += ahead
        connection.held_ahead += ahead
        return True

    def _has_room_for(self, answer: Sequence[bytes], ahead: int) -> bool:
        held = self._held.bytes
        return not held or held + self._held.more(answer) + ahead <= self.limits.outgoing_bytes

    def release(self, connection: Connection, pieces: int) -> None:
        """Keep counting only the last ``pieces`` pieces of a connection."""
        while len(connection.held) > pieces:
            self._held.remove(connection.held.popleft())
        if not pieces:
            self._held.bytes -= connection.held_ahead
            connection.held_ahead = 0

    def _stalled(self) -> float:
        """The deadline of clients that have stalled for too long."""
        return time.monotonic() + self.limits.progress_seconds - self.limits.stalled_seconds


def _rank(connection: Connection) -> int:
    rank = _CLOSED_FIRST[connection.state]
    if connection.state is State.IDLE and (connection.buffer or not connection.requests):
        return rank + (2 if connection.buffer else 1)
    return rank
