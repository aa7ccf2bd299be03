"""What one exchange may still use: time and bytes.

A socket cannot be handed a budget: connections are pooled below ``requests`` and serve one exchange after another. One
thread carries out an exchange from its start to its end, so the budget is a context variable of that thread.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from service.concurrency.deadline import Deadline
from service.domain.errors import BadGateway

HEAD_BYTES = 64 * 1024
"""Status line and headers, interim answers (RFC 9110, 15.2) included, rounded up to what a reader takes at once."""


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
        """Time left, above zero; raises ``TimeoutError`` when there is none."""
        left = self.deadline.at - time.monotonic()
        if left <= 0:
            raise TimeoutError("the exchange's deadline has passed")
        return left

    def begin_connecting(self) -> Deadline:
        """By when a connection must be ready for use, TLS handshake included."""
        self.connected = True
        return self.deadline.sooner(self._connect_timeout)

    def begin_body(self) -> None:
        """The head is over. As much again as the body may be is granted for the framing of chunks."""
        self._bytes_left = 2 * self._body_bytes + HEAD_BYTES

    def receive(self, count: int) -> None:
        """Account for ``count`` bytes. Raises ``BadGateway`` when they are too many."""
        self.received = self.received or count > 0
        self._bytes_left -= count
        if self._bytes_left < 0:
            raise BadGateway("the AI runtime's answer is larger than it may be")


_current: ContextVar[Budget] = ContextVar("exchange_budget")


@contextmanager
def spending(budget: Budget) -> Iterator[None]:
    """Every socket that this thread uses inside lives on ``budget``."""
    token = _current.set(budget)
    try:
        yield
    finally:
        _current.reset(token)


def current() -> Budget:
    """The budget of the exchange under way in this thread."""
    return _current.get()
