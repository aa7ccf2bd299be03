"""redis-py's connections with a deadline over all that one operation does.

redis-py bounds each wait for the network. A server that sends a byte now and then, a list of sentinels or cluster nodes
that are all silent, or a handshake of several steps would add those waits up. Here the operation has one deadline,
``within``, and every wait on the way ends by then.
"""

from __future__ import annotations

import math
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from redis.connection import AbstractConnection, Connection, SSLConnection, UnixDomainSocketConnection
from redis.exceptions import ResponseError
from redis.sentinel import SentinelManagedConnection

from service.concurrency.deadline import Deadline

CLIENT_NAME = "metric-resource"

_SHORTEST = 0.001
"""Seconds; a socket takes 0 for no waiting at all and refuses less."""

_deadline: ContextVar[Deadline | None] = ContextVar("cache_operation_deadline", default=None)


@contextmanager
def within(deadline: Deadline) -> Iterator[None]:
    """Everything that bounded connections do inside ends by ``deadline``, with ``TimeoutError`` if need be."""
    token = _deadline.set(deadline)
    try:
        yield
    finally:
        _deadline.reset(token)


def _remaining() -> float:
    """Seconds left to the operation, 0 and below when its time is over."""
    deadline = _deadline.get()
    return math.inf if deadline is None else deadline.at - time.monotonic()


def _clipped(limit: float | None) -> float:
    return max(_SHORTEST, min(math.inf if limit is None else limit, _remaining()))


class BoundedSocket:
    """A connected socket that waits at most ``limit`` seconds at a time, and never beyond the operation's deadline.

    Anything else is the socket's own.
    """

    def __init__(self, wrapped: socket.socket, limit: float) -> None:
        self._wrapped = wrapped
        self._limit = limit
        self._polling = False

    def settimeout(self, seconds: float | None) -> None:
        """With 0 the next reads only look whether something is there; any other time is the operation's business."""
        self._polling = seconds == 0

    def recv(self, size: int, flags: int = 0) -> bytes:
        self._prepare()
        return self._wrapped.recv(size, flags)

    def recv_into(self, buffer: bytearray | memoryview, *sizes: int) -> int:
        self._prepare()
        return self._wrapped.recv_into(buffer, *sizes)

    def sendall(self, data: bytes) -> None:
        self._prepare()
        self._wrapped.sendall(data)

    def _prepare(self) -> None:
        remaining = _remaining()
        if remaining <= 0:
            raise TimeoutError("the cache operation took too long")
        self._wrapped.settimeout(0 if self._polling else min(self._limit, remaining))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._wrapped, name)


class _Bounded(AbstractConnection):
    """Comes before one of redis-py's connections among the bases of a class."""

    @property
    def socket_timeout(self) -> float | None:
        """Read by redis-py for the TLS handshake; later waits are ``BoundedSocket``'s."""
        return _clipped(self._socket_timeout)

    @socket_timeout.setter
    def socket_timeout(self, value: float | None) -> None:
        self._socket_timeout = value

    @property
    def socket_connect_timeout(self) -> float | None:
        return _clipped(self._socket_connect_timeout)

    @socket_connect_timeout.setter
    def socket_connect_timeout(self, value: float | None) -> None:
        self._socket_connect_timeout = value

    selectable: BoundedSocket
    """The socket, to wait for with others."""

    def _connect(self) -> BoundedSocket:
        limit = math.inf if self._socket_timeout is None else self._socket_timeout
        self.selectable = BoundedSocket(super()._connect(), limit)  # type: ignore[no-untyped-call,safe-super]
        return self.selectable

    def on_connect_check_health(self, check_health: bool = True) -> None:
        """Name the connection where the server allows it; an ACL user without ``CLIENT`` goes on without a name."""
        super().on_connect_check_health(check_health=check_health)
        self.send_command("CLIENT", "SETNAME", CLIENT_NAME, check_health=False)  # type: ignore[no-untyped-call]
        try:
            self.read_response()
        except ResponseError:
            return

    def read_response(self, *args: Any, **options: Any) -> Any:
        """Drop the connection on any error of reading: what comes after it would answer another question."""
        options["disconnect_on_error"] = True
        return super().read_response(*args, **options)


class TcpConnection(_Bounded, Connection):
    """``redis://``."""


class TlsConnection(_Bounded, SSLConnection):
    """``rediss://``."""


class SocketConnection(_Bounded, UnixDomainSocketConnection):
    """``unix://``."""


class MasterConnection(_Bounded, SentinelManagedConnection):
    """To the master that the sentinels name."""


class TlsMasterConnection(_Bounded, SentinelManagedConnection, SSLConnection):
    """To the master that the sentinels name, over TLS."""
