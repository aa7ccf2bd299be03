"""Sockets on which no wait exceeds the exchange's deadline, however slowly bytes arrive.

Before each system call the socket's timeout is set to the time left. OpenSSL's part of a call (a handshake, a
record of many packets) counts as one call and is timed as a whole by ``ssl``. Name resolution alone cannot be
interrupted: it takes as long as the resolver's own settings allow, and what follows then fails at once.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Sequence
from typing import Any

from service.concurrency.deadline import Deadline
from service.runtimes.transport.budget import Budget, current

_SHORTEST = 0.001
"""The shortest timeout in seconds; 0 would mean not to wait at all."""
_QUICKACK: int | None = getattr(socket, "TCP_QUICKACK", None)

Options = Sequence[tuple[int, int, int | bytes]]


class BudgetSocket(socket.socket):
    """A TCP connection without TLS."""

    def recv_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> int:
        budget = current()
        self.settimeout(budget.seconds())
        count = super().recv_into(buffer, nbytes, flags)
        budget.receive(count)
        return count

    def sendall(self, data: Any, flags: int = 0) -> None:
        budget = current()
        self.settimeout(budget.seconds())
        budget.sent = True
        super().sendall(data, flags)
        _acknowledge_at_once(self)


class BudgetTLSSocket(ssl.SSLSocket):
    """A TLS connection, made by a context with this ``sslsocket_class``."""

    def recv_into(self, buffer: Any, nbytes: int | None = None, flags: int = 0) -> int:
        budget = current()
        self.settimeout(budget.seconds())
        count = super().recv_into(buffer, nbytes, flags)
        budget.receive(count)
        return count

    def send(self, data: Any, flags: int = 0) -> int:
        budget = current()
        self.settimeout(budget.seconds())
        budget.sent = True
        count = super().send(data, flags)
        _acknowledge_at_once(self)
        return count


def connect(host: str, port: int, options: Options, budget: Budget) -> BudgetSocket:
    """Connect to the first of the host's addresses that accepts the connection.

    Each address gets its share of the time for connecting, so that a silent one leaves some for the next. What then
    remains is the socket's timeout, for a TLS handshake. Raises ``OSError``, ``TimeoutError`` among them.
    """
    by = budget.begin_connecting()
    addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    failure = OSError("the host has no address")
    for left, (family, kind, protocol, _, address) in zip(range(len(addresses), 0, -1), addresses, strict=True):
        connection = BudgetSocket(family, kind, protocol)
        try:
            return _connected(connection, address, options, by, left)
        except OSError as error:
            connection.close()
            failure = error
    raise failure


def _connected(connection: BudgetSocket, address: Any, options: Options, by: Deadline, left: int) -> BudgetSocket:
    for level, name, value in options:
        connection.setsockopt(level, name, value)
    connection.settimeout(max(_SHORTEST, by.remaining() / left))
    connection.connect(address)
    connection.settimeout(max(_SHORTEST, by.remaining()))
    return connection


def _acknowledge_at_once(connection: socket.socket) -> None:
    """For the answer that follows (Linux). A server that writes head and body apart, as MLflow's, holds the body's last
    segment back until the head is acknowledged (RFC 896), and that would be done after some 40 ms."""
    if _QUICKACK is not None:
        connection.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)
