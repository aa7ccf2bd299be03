"""Accepts new connections as long as there is room for them."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Sequence

from service.server.connection import Connection
from service.server.connection_table import Connections
from service.server.poller import READ, Poller

_PAUSE = 1.0
"""Seconds without accepting after the system has run out of file descriptors or memory."""

_log = logging.getLogger("service.server")


class Acceptor:
    """Accepts from all ``listeners``."""

    def __init__(self, listeners: Sequence[socket.socket], poller: Poller, connections: Connections) -> None:
        self._listeners = {listener: listener.getsockname() for listener in listeners}
        self._poller = poller
        self._connections = connections
        self._limits = connections.limits
        self._on = False
        self._stopped = False
        self._not_before = 0.0
        for listener in listeners:
            listener.setblocking(False)
            _buffer_little(listener, self._limits.unsent_bytes)
        self._switch(on=True)

    def accept(self, listener: socket.socket, most: int) -> int:
        """Accept at most ``most`` waiting clients; only one where it displaces another. How many were accepted."""
        accepted = 0
        while accepted < most and self._accept_one(listener):
            accepted += 1
            if self._connections.are_full:
                break
        return accepted

    def resume(self, now: float) -> None:
        """Resume accepting where there is room again."""
        if not self._on and not self._stopped and now >= self._not_before:
            self._switch(on=self._connections.has_room())

    def stop(self) -> None:
        """Accept the connections in the backlog, and no more."""
        for listener in self._listeners:
            while self._on and self._accept_one(listener):
                pass
        self.close()

    def close(self) -> None:
        """Stop accepting."""
        self._stopped = True
        self._switch(on=False)

    def _accept_one(self, listener: socket.socket) -> bool:
        """Accept one client; whether there may be another."""
        if not self._on:
            return False
        if not self._connections.has_room():
            self._switch(on=False)
            return False
        try:
            sock, peer = listener.accept()
        except (BlockingIOError, InterruptedError):
            return False
        except ConnectionAbortedError:
            return True
        except OSError:  # no file descriptors or memory: existing clients take precedence
            _log.exception("cannot accept connections", extra={"event": "connections"})
            self._connections.make_room()
            self._switch(on=False)
            self._not_before = time.monotonic() + _PAUSE
            return False
        sock.setblocking(False)
        deadline = time.monotonic() + self._limits.request_seconds
        connection = Connection(sock, peer, self._listeners[listener], deadline)
        self._connections.open.add(connection)
        self._connections.safely(self._watch, connection)
        return True

    def _watch(self, connection: Connection) -> None:
        self._poller.watch(connection, READ)

    def _switch(self, *, on: bool) -> None:
        if on == self._on:
            return
        self._on = on
        for listener in self._listeners:
            self._poller.watch_listener(listener, on=on)


def _buffer_little(listener: socket.socket, size: int) -> None:
    """Limit the system's send buffer for each client: by default it is 4 MB, which no limit of ours would count."""
    option = getattr(socket, "TCP_NOTSENT_LOWAT", None)
    if option is not None and listener.family in {socket.AF_INET, socket.AF_INET6}:
        try:
            listener.setsockopt(socket.IPPROTO_TCP, option, size)
        except OSError:
            _log.debug("the system does not bound what it buffers", exc_info=True)
