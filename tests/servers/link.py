"""The way to a Redis server, on which announcements can be held up."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator


class Link:
    """Passes on what goes to ``port`` and comes from there; what comes to who subscribes waits while it is held."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._open = threading.Event()
        self._open.set()
        self._sockets: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    def hold(self) -> None:
        self._open.clear()

    def release(self) -> None:
        self._open.set()

    def accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(("127.0.0.1", self._target))
                self._sockets += [near, far]
                subscribes = threading.Event()
                for pump, *ends in ((self._ask, near, far), (self._answer, far, near)):
                    threading.Thread(target=pump, args=(*ends, subscribes), daemon=True).start()

    def close(self) -> None:
        self._open.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for each in self._sockets:
            each.close()

    def _ask(self, near: socket.socket, far: socket.socket, subscribes: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := near.recv(65536):
                if b"SUBSCRIBE" in data:
                    subscribes.set()
                far.sendall(data)
            far.shutdown(socket.SHUT_RDWR)

    def _answer(self, far: socket.socket, near: socket.socket, subscribes: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := far.recv(65536):
                if subscribes.is_set():
                    self._open.wait()
                near.sendall(data)
            near.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def linked(port: int) -> Iterator[Link]:
    link = Link(port)
    threading.Thread(target=link.accept, daemon=True).start()
    try:
        yield link
    finally:
        link.close()
