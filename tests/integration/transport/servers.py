"""HTTP servers on raw sockets that answer by script, properly or not."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

HANG_GUARD = 10.0
"""Seconds after which a test counts as hanging."""


@dataclass(frozen=True)
class Request:
    """As it came in. Header names are in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


HEAD_OK = b"HTTP/1.1 200 OK\r\n"

Misbehaviour = Callable[[socket.socket, threading.Event], None]
"""Instead of an answer; the connection is closed after it."""
Reply = bytes | Misbehaviour
Script = Callable[[Request], Reply]


@dataclass
class Server:
    """What a server has seen."""

    port: int = 0
    connections: int = 0
    requests: list[Request] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def reply(
    body: bytes = b"{}", *, status: int = 200, headers: dict[str, str] | None = None, close: bool = False
) -> bytes:
    """A proper answer."""
    fields = {"Content-Length": str(len(body)), "Connection": "close" if close else "keep-alive", **(headers or {})}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status} Whatever\r\n{lines}\r\n".encode("latin-1") + body


def raw(*parts: bytes, pause: float = 0.0, reset: bool = False) -> Misbehaviour:
    """Sends bytes as they are, ``pause`` seconds apart, and closes, by a reset if need be."""

    def misbehave(connection: socket.socket, over: threading.Event) -> None:
        for part in parts:
            if over.wait(pause):
                return
            connection.sendall(part)
        if reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")

    return misbehave


def trickle(proper: bytes, seconds: float = 0.05) -> Misbehaviour:
    """A byte now and then, for ever."""

    def misbehave(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(proper)
        while not over.wait(seconds):
            connection.sendall(b"a")

    return misbehave


def silence(connection: socket.socket, over: threading.Event) -> None:
    over.wait()


@contextlib.contextmanager
def serving(script: Script) -> Iterator[Server]:
    """A server that answers each request by ``script``."""
    server = Server()

    def manners(connection: socket.socket, over: threading.Event) -> None:
        connection.settimeout(HANG_GUARD)
        server.connections += 1
        while (request := _read(connection, over)) is not None:
            server.requests.append(request)
            answer = script(request)
            if not isinstance(answer, bytes):
                return answer(connection, over)
            connection.sendall(answer)
            if b"Connection: close" in answer[:1000]:
                return None
        return None

    with listening(manners) as server.port:
        yield server


@contextlib.contextmanager
def listening(manners: Misbehaviour) -> Iterator[int]:
    """The port of a server that treats every connection by ``manners``; it ends at once when it is no more needed."""
    over = threading.Event()
    threads: list[threading.Thread] = []

    def treat(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            manners(connection, over)

    def listen() -> None:
        with contextlib.suppress(OSError):
            while True:
                threads.append(threading.Thread(target=treat, args=listener.accept()[:1]))
                threads[-1].start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        main = threading.Thread(target=listen)
        main.start()
        try:
            yield listener.getsockname()[1]
        finally:
            over.set()
            listener.shutdown(socket.SHUT_RDWR)
            for thread in [main, *threads]:
                thread.join(HANG_GUARD)


def _read(connection: socket.socket, over: threading.Event) -> Request | None:
    received = b""
    while b"\r\n\r\n" not in received:
        received += (more := _some(connection, over))
        if not more:
            return None
    head, _, body = received.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    while len(body) < int(headers.get("content-length", "0")):
        body += _some(connection, over)
    method, target, _ = first.split(" ")
    return Request(method, target, headers, body)


def _some(connection: socket.socket, over: threading.Event) -> bytes:
    while not over.is_set():
        if select.select([connection], [], [], 0.005)[0]:
            return connection.recv(65536)
    return b""
