"""redis-py's connections with a deadline for a whole operation.

redis-py bounds each wait for the network. With a server that sends a byte now and then, a list of silent sentinels or
cluster nodes, or a handshake of several steps, those waits would add up. Here the operation has one deadline,
``within``, and every wait ends by then.
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
"""The shortest timeout of a socket in seconds: 0 would mean not to wait at all."""

_deadline: ContextVar[Deadline | None] = ContextVar("cache_operation_deadline", default=None)


@contextmanager
def within(deadline: Deadline) -> Iterator[None]:
    """Have all operations of bounded connections end by ``deadline``, with ``TimeoutError`` if need be."""
    token = _deadline.set(deadline)
    try:
        yield
    finally:
        _deadline.reset(token)


def _remaining() -> float:
    """Seconds left to the operation; 0 or less when its time is over."""
    deadline = _deadline.get()
    return math.inf if deadline is None else deadline.at - time.monotonic()


def _clipped(limit: float | None) -> float:
    return max(_SHORTEST, min(math.inf if limit is None else limit, _remaining()))


class BoundedSocket:
    """A connected socket that waits at most ``limit`` seconds at a time, and never beyond the operation's deadline.

    Everything else is delegated to the socket.
    """

    def __init__(self, wrapped: socket.socket, limit: float) -> None:
        self._wrapped = wrapped
        self._limit = limit
        self._polling = False

    def settimeout(self, seconds: float | None) -> None:
        """Only 0, for reads that do not wait, has an effect; other waits are bounded by the operation."""
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
    """A mixin for redis-py's connections, to be named before them among the bases."""

    @property
    def socket_timeout(self) -> float | None:
        """The timeout of the TLS handshake; later waits are bounded by ``BoundedSocket``."""
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
    """The socket, for ``select``."""

    def _connect(self) -> BoundedSocket:
        limit = math.inf if self._socket_timeout is None else self._socket_timeout
        self.selectable = BoundedSocket(super()._connect(), limit)  # type: ignore[no-untyped-call,safe-super]
        return self.selectable

    def on_connect_check_health(self, check_health: bool = True) -> None:
        """Name the connection where the server allows it; an ACL user may lack ``CLIENT``."""
        super().on_connect_check_health(check_health=check_health)
        self.send_command("CLIENT", "SETNAME", CLIENT_NAME, check_health=False)  # type: ignore[no-untyped-call]
        try:
            self.read_response()
        except ResponseError:
            return

    def read_response(self, *args: Any, **options: Any) -> Any:
        """Close the connection on any error of reading: later replies would not match their commands."""
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
