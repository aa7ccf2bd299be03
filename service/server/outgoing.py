"""What is to be sent to a client: never waited for by the thread that made it, unless it is streamed."""

from __future__ import annotations

import socket
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice

Piece = bytes | memoryview
_JOINED = 64 * 1024
_AT_ONCE = 16
"""Pieces given to the system in one call; ``IOV_MAX`` is 1024 on Linux, 16 at least (POSIX)."""


class Outgoing:
    """The pieces that a client has not taken yet. ``lock`` guards all members.

    A piece is the very object that was appended, so that a body in a cache is shared by all clients that it is sent to.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._room: threading.Condition | None = None
        self.lock = threading.Lock()
        self.pieces: deque[Piece] = deque()
        self.size = 0
        self.handed_over = False
        """Whether only the loop sends."""
        self.ended = False
        """Whether the answer is whole; ``close_after`` says whether the connection ends with it."""
        self.close_after = False
        self.begun = False
        """Whether the client has a part of the answer."""
        self.broken = False
        self.sent = 0
        """Bytes of the answer that the system took; in how many ``seconds`` of waiting for the client, so far."""
        self.seconds = 0.0

    def begin(self) -> None:
        """Begin the next answer on this connection."""
        self.ended = self.close_after = self.begun = False
        self.sent, self.seconds = 0, 0.0

    def clear(self) -> None:
        """Send nothing of what there is; the lock is held."""
        self.pieces.clear()
        self.size = 0

    def append(self, data: Piece) -> None:
        if len(data):
            with self.lock:
                self.pieces.append(data)
                self.size += len(data)

    def replace(self, data: bytes) -> None:
        """Have ``data`` sent instead of what there is, of which the client has nothing."""
        with self.lock:
            self.clear()
            self.pieces.append(data)
            self.size = len(data)

    def send(self, most: int) -> int:
        """Send what the socket takes at once, some ``most`` bytes; how many it took. The lock is held.

        Raises ``OSError`` where the client has gone.
        """
        total = 0
        while self.pieces and total < most:
            offered = self._offer(most - total)
            size = sum(map(len, offered))
            try:
                took = self._socket.send(offered[0]) if len(offered) == 1 else self._socket.sendmsg(offered)
            except (BlockingIOError, InterruptedError):
                break
            self.begun = True
            self._forget(took)
            total += took
            if took < size:
                break
        return total

    def wait_for_room(self, size: int) -> bool:
        """Wait until ``size`` bytes or fewer are left; whether the client is still there."""
        with self.lock:
            if self._room is None:
                self._room = threading.Condition(self.lock)
            self._room.wait_for(lambda: self.broken or self.size <= size)
            return not self.broken

    def give_up(self) -> None:
        """Keep nothing, and take nothing more seriously; the lock is held."""
        self.broken = True
        self.clear()
        self.notify()

    def notify(self) -> None:
        """Wake whoever waits for room; the lock is held."""
        if self._room is not None:
            self._room.notify_all()

    def _offer(self, most: int) -> list[Piece]:
        if self.size <= _JOINED and len(self.pieces) > 1:
            joined = b"".join(self.pieces)
            self.pieces.clear()
            self.pieces.append(joined)
        offered: list[Piece] = []
        for piece in islice(self.pieces, _AT_ONCE):
            offered.append(piece)
            most -= len(piece)
            if most <= 0:
                break
        return offered

    def _forget(self, size: int) -> None:
        self.size -= size
        self.sent += size
        while size:
            first = self.pieces[0]
            if size < len(first):
                self.pieces[0] = memoryview(first)[size:]
                return
            size -= len(first)
            self.pieces.popleft()


class Held:
    """How many bytes are kept for clients. A piece that several clients are still to take is counted once."""

    def __init__(self) -> None:
        self._times: dict[int, int] = {}
        self.bytes = 0

    def add(self, pieces: Iterable[bytes]) -> None:
        for piece in pieces:
            times = self._times.get(id(piece), 0)
            self._times[id(piece)] = times + 1
            if not times:
                self.bytes += len(piece)

    def remove(self, piece: bytes) -> None:
        """The caller has the piece still, so its ``id`` is no other's."""
        times = self._times.pop(id(piece)) - 1
        if times:
            self._times[id(piece)] = times
        else:
            self.bytes -= len(piece)

    def more(self, pieces: Iterable[bytes]) -> int:
        """By how many bytes it would grow."""
        return sum(len(piece) for piece in pieces if id(piece) not in self._times)


def whole(pieces: Iterable[Piece]) -> Iterator[bytes]:
    """The objects that pieces are of, kept in memory as long as any part of them is."""
    for piece in pieces:
        yield piece if isinstance(piece, bytes) else piece.obj  # type: ignore[misc]
