"""The event loop that owns a worker's connections: it accepts, reads requests, sends the rest of answers, and closes.

It never waits for a single client, and none of its turns is long, however many clients there are. A silent or slow
client costs a file descriptor and some memory, both bounded, until a deadline; a thread is used only once a request is
complete.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Sequence

from service.concurrency.pushed_body import Stopping
from service.server.accepting import Acceptor
from service.server.connection import Connection, State
from service.server.connection_table import Connections
from service.server.crowd import Crowd
from service.server.limits import Limits
from service.server.poller import Poller
from service.server.receiving import Parse, Receiver, Serve
from service.server.sending import Sender

_ACCEPTED = 64
"""Connections accepted in one turn: accepting is cheap, and a client behind a crowd waits for all of it."""
_BATCH, _LEAST = 16, 2
"""Requests read in one turn, and steps of threads run; requests where they take long."""
_READING_SECONDS = 0.005
"""Seconds of one turn for reading requests: while threads work, each request takes many waits for the interpreter's
lock."""
_FEW = 4
"""Clients accepted, or requests to be read, in one turn, beyond which they are a crowd."""
_SWEEP, _SWEEP_OF_A_STOP = 1.0, 0.1
"""Seconds between two checks of all deadlines."""
_NOT_BEGUN = frozenset({State.IDLE, State.BODY, State.LINGERING})
"""States without an answer in progress."""


class Loop:
    """Does a little of each kind of work in each turn (see ``receiving`` for ``parse`` and ``serve``).

    All methods belong to the loop's own thread, except ``call``, ``answered_by_thread``, ``hand_over`` and
    ``crowd.let_in``.
    """

    def __init__(self, listeners: Sequence[socket.socket], parse: Parse, serve: Serve, limits: Limits) -> None:
        self._limits = limits
        self._poller = Poller()
        self._connections = Connections(self._poller, limits)
        self._sender = Sender(self._poller, self._connections, self._answered)
        self._receiver = Receiver(self._poller, self._connections, self._sender, parse, serve)
        self._acceptor = Acceptor(listeners, self._poller, self._connections)
        self._next_sweep = time.monotonic() + _SWEEP
        self._turns = 0
        self._at_once = _BATCH
        self.crowd = Crowd()
        self.stops = Stopping()
        """Set when ``stop`` is called."""
        self.call = self._poller.call
        self.end = self._connections.end

    @property
    def stopping(self) -> bool:
        return self.stops.is_set()

    @property
    def connections(self) -> set[Connection]:
        """The open connections."""
        return self._connections.open

    @property
    def bytes_held(self) -> int:
        """See ``Connections.held``."""
        return self._connections.held

    @property
    def bytes_incoming(self) -> int:
        """See ``Connections.incoming``."""
        return self._connections.incoming

    def turn(self, timeout: float) -> int:
        """Wait for events for ``timeout`` seconds at most, and handle some of them; the number of events."""
        ready = self._poller.wait(min(timeout, self._next_sweep - time.monotonic()))
        self._turns += 1
        self._poller.do_calls(_BATCH)
        accepted = sum(self._acceptor.accept(listener, _ACCEPTED) for listener in ready.listeners)
        self.crowd.note(there=max(accepted, len(ready.readable)) > _FEW)
        if ready.readable:
            self._read(ready.readable)
        if ready.writable:
            self._sender.send_to(ready.writable)
        now = time.monotonic()
        if now >= self._next_sweep:
            self._next_sweep = now + (_SWEEP_OF_A_STOP if self.stopping else _SWEEP)
            self._sweep(now)
        self._acceptor.resume(now)
        return ready.events

    def stop(self) -> None:
        """Accept only the connections in the backlog. Complete requests are answered; idle connections, incomplete
        requests and lingering clients end soon."""
        self._acceptor.stop()
        self.stops.set()
        self._next_sweep = 0.0
        for connection in list(self.connections):
            if connection.stream is not None:
                connection.stream.stop()

    def close(self) -> None:
        """End all connections, whatever their state, and the loop with them."""
        self._acceptor.close()
        for connection in list(self.connections):
            self.end(connection)
        self._poller.close()

    def answered_by_thread(self, connection: Connection) -> None:
        """A thread has sent a whole answer itself: the usual case, in which the loop need not be woken."""
        if connection.buffer:
            self.call(self._connections.safely, self._answered, connection)
            return
        try:
            with connection.outgoing.lock:
                if connection.outgoing.broken:  # the loop has ended it meanwhile
                    return
                self._rest(connection)
        except OSError:
            self.call(self.end, connection)
            return
        if connection.parked:  # read after the state is set, as the loop sets it before reading the state
            self.call(self._connections.safely, self._receiver.read_again, connection)

    def hand_over(self, connection: Connection) -> None:
        """Let the loop send the rest. ``outgoing.handed_over`` is set already."""
        self.call(self._connections.safely, self._sender.take_over, connection)

    def _read(self, readable: Sequence[Connection]) -> None:
        """Read from some connections: from fewer the next time where that took long."""
        began = time.monotonic()
        for connection in fair_share(readable, self._at_once, self._turns):
            self._connections.safely(self._receiver.read, connection)
        took_long = time.monotonic() - began > _READING_SECONDS
        self._at_once = max(_LEAST, self._at_once // 2) if took_long else min(_BATCH, self._at_once * 2)

    def _answered(self, connection: Connection) -> None:
        if connection.state is not State.CLOSED:
            self._rest(connection)
            self._receiver.read_next(connection)

    def _rest(self, connection: Connection) -> None:
        """Continue after an answer: wait for the next request, or for the client to close."""
        now = time.monotonic()
        if connection.outgoing.close_after:
            connection.socket.shutdown(socket.SHUT_WR)
            connection.deadline = now + self._limits.linger_seconds
            connection.state = State.LINGERING
        else:
            connection.deadline = now + self._limits.keepalive_seconds
            connection.state = State.IDLE

    def _sweep(self, now: float) -> None:
        """End connections whose deadline is over."""
        soon = now + self._limits.stop_seconds
        for connection in list(self.connections):
            if connection.state is State.SENDING:
                if not self._sender.has_time(connection, now):
                    self.end(connection)
                continue
            if self.stopping and connection.state in _NOT_BEGUN:
                connection.deadline = min(connection.deadline, soon)
            if connection.deadline > now:
                continue
            if connection.state is State.BODY or (connection.state is State.IDLE and connection.buffer):
                self._connections.safely(self._receiver.refuse_slow, connection)
            elif connection.state is not State.RUNNING:
                self.end(connection)


def fair_share(ready: Sequence[Connection], most: int, turn: int) -> Sequence[Connection]:
    """``most`` of the ready connections: the newest, and others by turns, so that none waits for a whole crowd.

    Each is among them within ``2 * len(ready) / most`` turns, however many are added.
    """
    if len(ready) <= most:
        return ready
    newest = most // 2
    others = ready[: len(ready) - newest]
    first = turn * (most - newest) % len(others)
    return [*ready[: -newest - 1 : -1], *(*others[first:], *others[:first])[: most - newest]]
