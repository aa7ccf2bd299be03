"""HTTP spoken byte by byte, for servers whose clients are to be anything but well-behaved."""

from __future__ import annotations

import socket
from dataclasses import dataclass

PATIENCE = 30.0
"""Seconds of silence after which a server counts as one that does not answer."""


@dataclass(frozen=True)
class RawAnswer:
    status: int
    headers: dict[str, str]
    body: bytes


class Client:
    """One connection. ``receive_buffer`` is the least that the client's system takes of what it does not read."""

    def __init__(self, port: int, receive_buffer: int | None = None) -> None:
        self.socket = socket.socket()
        self.socket.settimeout(PATIENCE)
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        try:
            self.socket.connect(("127.0.0.1", port))
        except OSError:
            self.socket.close()
            raise
        self._rest = b""

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def get(self, path: str, *lines: str) -> RawAnswer:
        self.send(request(path, *lines))
        return self.answer()

    def answer(self, *, body: bool = True) -> RawAnswer:
        """The next answer; ``body`` is whether one follows where a length is told (not after ``HEAD``)."""
        while b"\r\n\r\n" not in self._rest:
            self._receive()
        head, _, self._rest = self._rest.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        status = int(first.split()[1])
        if not body or status < 200 or status in {204, 304}:
            return RawAnswer(status, headers, b"")
        if headers.get("transfer-encoding") == "chunked":
            return RawAnswer(status, headers, self._chunks())
        return RawAnswer(status, headers, self._take(int(headers["content-length"])))

    def until_closed(self) -> bytes:
        """All that comes until the server closes. Raises ``ConnectionResetError`` where it does so harshly."""
        self._rest, got = b"", [self._rest]
        while piece := self.socket.recv(65536):
            got.append(piece)
        return b"".join(got)

    def waits(self) -> bool:
        """Whether the server has neither said anything (more) nor closed."""
        self.socket.setblocking(False)
        try:
            self.socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except ConnectionResetError:
            return False
        else:
            return False
        finally:
            self.socket.settimeout(PATIENCE)

    def _chunks(self) -> bytes:
        chunks: list[bytes] = []
        while True:
            while b"\r\n" not in self._rest:
                self._receive()
            size, _, self._rest = self._rest.partition(b"\r\n")
            chunk = self._take(int(size, 16) + 2)[:-2]
            if not chunk:
                return b"".join(chunks)
            chunks.append(chunk)

    def _take(self, size: int) -> bytes:
        pieces, left = [], size
        while True:
            piece, self._rest = self._rest[:left], self._rest[left:]
            pieces.append(piece)
            left -= len(piece)
            if not left:
                return b"".join(pieces)
            self._receive()

    def _receive(self) -> None:
        piece = self.socket.recv(1024 * 1024)
        if not piece:
            raise ConnectionError(f"closed after {self._rest[:200]!r}")
        self._rest += piece


def request(path: str, *lines: str, method: str = "GET", version: str = "1.1") -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/{version}", "Host: service", *lines, "", ""]).encode()
