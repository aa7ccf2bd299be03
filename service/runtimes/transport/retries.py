"""Retries of attempts that may succeed the next time, within the deadline."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import TypeVar, overload

from service.concurrency.blocking import sleep
from service.concurrency.deadline import Deadline
from service.domain.errors import RuntimeTrouble

T = TypeVar("T")

_RANDOM = random.SystemRandom()
"""Without a state, which forked workers would share."""


class Passing(Exception):
    """A temporary failure; ``wait`` is the server's ``Retry-After`` in seconds, where it sent one."""

    def __init__(self, error: RuntimeTrouble, wait: float | None = None) -> None:
        super().__init__(error)
        self.error = error
        self.wait = wait


class Retries:
    """At most ``attempts`` in all, with exponential pauses of full jitter from ``base`` to ``cap`` seconds.

    A server's ``Retry-After`` takes precedence, plus jitter. There is no attempt after a pause beyond the deadline.
    """

    def __init__(
        self,
        *,
        attempts: int = 3,
        base: float = 0.1,
        cap: float = 2.0,
        jitter: Callable[[float, float], float] = _RANDOM.uniform,
        sleep: Callable[[float], None] = sleep,
    ) -> None:
        self._attempts = attempts
        self._base = base
        self._cap = cap
        self._jitter = jitter
        self._sleep = sleep

    def run(self, attempt: Callable[[], T], deadline: Deadline, again: Callable[[], None]) -> T:
        """The result of ``attempt``; ``again`` is called before each retry.

        Raises the error of the last ``Passing``; other exceptions of ``attempt`` pass through.
        """
        made = 0
        while True:
            made += 1
            try:
                return attempt()
            except Passing as passing:
                pause = self._pause(made, passing.wait)
                if made >= self._attempts or pause >= deadline.remaining():
                    raise passing.error from passing
            self._sleep(pause)
            again()

    def _pause(self, made: int, wait: float | None) -> float:
        if wait is not None:
            return wait + self._jitter(0.0, self._base)
        return self._jitter(0.0, min(self._cap, self._base * 2**made))


LONGEST = 60.0
"""The longest pause in seconds, whatever a server asks for."""
_LONGEST_WISH = 86400.0
"""Seconds: the longest ``Retry-After`` that clients get."""


def retry_after(headers: Mapping[str, str], now: float | None = None) -> float | None:
    """Seconds of ``Retry-After``, up to a day, or ``None`` where it is missing or unreadable.

    ``now`` is in seconds since the epoch; a date is compared with the local clock (RFC 9110).
    """
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return min(_LONGEST_WISH, float(value[:9]))
    try:
        moment = parsedate_to_datetime(value).timestamp()
    except (ValueError, OverflowError):
        return None
    return min(_LONGEST_WISH, max(0.0, moment - (time.time() if now is None else now)))


@overload
def whole_seconds(seconds: float) -> int: ...


@overload
def whole_seconds(seconds: float | None) -> int | None: ...


def whole_seconds(seconds: float | None) -> int | None:
    """Rounded up, at least 1."""
    return None if seconds is None else max(1, math.ceil(seconds))
