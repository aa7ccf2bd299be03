"""Servers that take connections and do not keep to any protocol."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

Manners = Callable[[socket.socket, threading.Event], None]
"""What to do with one connection; to end soon after the event is set."""


@contextlib.contextmanager
def odd_server(manners: Manners) -> Iterator[int]:
    """The port of a server that treats every connection by ``manners``."""
    over = threading.Event()
    threads: list[threading.Thread] = []

    def treat(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            manners(connection, over)

    def listen(listener: socket.socket) -> None:
        while not over.is_set():
            with contextlib.suppress(OSError):
                connection, _ = listener.accept()
                connection.settimeout(0.05)
                threads.append(threading.Thread(target=treat, args=(connection,)))
                threads[-1].start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.05)
        main = threading.Thread(target=listen, args=(listener,))
        main.start()
        try:
            yield listener.getsockname()[1]
        finally:
            over.set()
            for thread in [main, *threads]:
                thread.join(10)


def answers(data: bytes) -> Manners:
    """Answers whatever is sent with the same bytes."""

    def manners(connection: socket.socket, over: threading.Event) -> None:
        while not over.is_set():
            try:
                if not connection.recv(65536):
                    return
            except TimeoutError:
                continue
            connection.sendall(data)

    return manners


def drips(data: bytes, seconds: float) -> Manners:
    """Sends the bytes one by one, over and over, ``seconds`` apart, whatever it is sent."""

    def manners(connection: socket.socket, over: threading.Event) -> None:
        while True:
            for byte in data:
                if over.wait(seconds):
                    return
                connection.sendall(bytes([byte]))

    return manners


def hangs_up(connection: socket.socket, over: threading.Event) -> None:
    """Closes every connection as soon as it is made."""


def stays_silent(connection: socket.socket, over: threading.Event) -> None:
    """Never answers."""
    over.wait()
