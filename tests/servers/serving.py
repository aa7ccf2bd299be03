"""Python's own servers on threads of their own."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def served(server: socketserver.TCPServer) -> Iterator[None]:
    """Serve while the context lasts. It ends at once, where ``shutdown`` waits until ``serve_forever`` looks again."""
    over = threading.Event()

    def serve() -> None:
        while not over.is_set():
            server.handle_request()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        with suppress(OSError), socket.create_connection(server.socket.getsockname(), 5):
            thread.join()
        server.server_close()
