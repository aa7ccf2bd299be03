"""The output buffer of a client, for which only threads that stream wait."""

from __future__ import annotations

import socket
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice

Piece = bytes | memoryview
_JOINED = 64 * 1024
_AT_ONCE = 16
"""Pieces written by one system call; ``IOV_MAX`` is 1024 on Linux, at least 16 (POSIX)."""


class Outgoing:
    """The pieces that a client has not read yet. ``lock`` guards all members.

    Pieces are not copied, so that a cached body is shared by all its clients.
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
        """Whether the answer is complete; ``close_after`` is whether the connection ends with it."""
        self.close_after = False
        self.begun = False
        """Whether a part of the answer has been sent."""
        self.broken = False
        self.sent = 0
        """Bytes of the answer that the system has accepted, and the ``seconds`` spent waiting for the client so far."""
        self.seconds = 0.0

    def begin(self) -> None:
        """Begin the next answer on this connection."""
        self.ended = self.close_after = self.begun = False
        self.sent, self.seconds = 0, 0.0

    def clear(self) -> None:
        """Discard all pieces; the lock is held."""
        self.pieces.clear()
        self.size = 0

    def append(self, data: Piece) -> None:
        if len(data):
            with self.lock:
                self.pieces.append(data)
                self.size += len(data)

    def replace(self, data: bytes) -> None:
        """Replace all pieces, of which nothing has been sent, by ``data``."""
        with self.lock:
            self.clear()
            self.pieces.append(data)
            self.size = len(data)

    def send(self, most: int) -> int:
        """Send what the socket accepts at once, about ``most`` bytes at most; the number of bytes. The lock is held.

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
        """Discard all pieces and ignore later ones; the lock is held."""
        self.broken = True
        self.clear()
        self.notify()

    def notify(self) -> None:
        """Wake the thread that waits for room; the lock is held."""
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
    """Counts the bytes kept for clients. A piece shared by several is counted once."""

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
        """Remove a piece, which the caller still holds, so that its ``id`` is unique."""
        times = self._times.pop(id(piece)) - 1
        if times:
            self._times[id(piece)] = times
        else:
            self.bytes -= len(piece)

    def more(self, pieces: Iterable[bytes]) -> int:
        """The number of bytes that ``pieces`` would add."""
        return sum(len(piece) for piece in pieces if id(piece) not in self._times)


def whole(pieces: Iterable[Piece]) -> Iterator[bytes]:
    """The objects behind the pieces, which stay in memory as long as any part of them."""
    for piece in pieces:
        yield piece if isinstance(piece, bytes) else piece.obj  # type: ignore[misc]
