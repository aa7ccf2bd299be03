"""The budget of one exchange: time and bytes.

A budget cannot be passed to a socket: connections are pooled below ``requests`` and serve one exchange after another.
An exchange runs on one thread from start to end, so the budget is a context variable of that thread.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from service.concurrency.deadline import Deadline
from service.domain.errors import BadGateway

HEAD_BYTES = 64 * 1024
"""Bytes of status line and headers, including interim answers (RFC 9110, 15.2), rounded up to a read buffer."""


class Budget:
    """Time and bytes of one exchange, and how far it has come.

    ``sent``: something went out; ``received``: something came in; ``connected``: on a connection made for it, and
    with ``keeps_connection`` for those that follow.
    """

    def __init__(
        self, deadline: Deadline, *, connect_timeout: float, body_bytes: int, keeps_connection: bool = True
    ) -> None:
        self.deadline = deadline
        self.keeps_connection = keeps_connection
        self.sent = self.received = self.connected = False
        self._connect_timeout = connect_timeout
        self._body_bytes = body_bytes
        self._bytes_left = HEAD_BYTES

    def seconds(self) -> float:
        """Seconds left, above zero; raises ``TimeoutError`` when there are none."""
        left = self.deadline.at - time.monotonic()
        if left <= 0:
            raise TimeoutError("the exchange's deadline has passed")
        return left

    def begin_connecting(self) -> Deadline:
        """The deadline for connecting, including the TLS handshake."""
        self.connected = True
        return self.deadline.sooner(self._connect_timeout)

    def begin_body(self) -> None:
        """The body begins. Its limit is doubled for the framing of chunks."""
        self._bytes_left = 2 * self._body_bytes + HEAD_BYTES

    def receive(self, count: int) -> None:
        """Account for ``count`` bytes. Raises ``BadGateway`` when they are too many."""
        self.received = self.received or count > 0
        self._bytes_left -= count
        if self._bytes_left < 0:
            raise BadGateway("the AI runtime's answer exceeds the size limit")


_current: ContextVar[Budget] = ContextVar("exchange_budget")


@contextmanager
def spending(budget: Budget) -> Iterator[None]:
    """A context in which all sockets of this thread use ``budget``."""
    token = _current.set(budget)
    try:
        yield
    finally:
        _current.reset(token)


def current() -> Budget:
    """The budget of this thread's exchange."""
    return _current.get()
