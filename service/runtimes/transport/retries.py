"""Repeats what may well succeed the next time, within the deadline."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TypeVar

from service.concurrency.blocking import sleep
from service.domain.deadlines import Deadline
from service.domain.errors import RuntimeTrouble

T = TypeVar("T")


class Passing(Exception):
    """A failure that another attempt may overcome; ``wait`` is the server's own wish in seconds, where it gave one."""

    def __init__(self, error: RuntimeTrouble, wait: float | None = None) -> None:
        super().__init__(error)
        self.error = error
        self.wait = wait


class Retries:
    """At most ``attempts`` in all, with exponential pauses of full jitter from ``base`` to ``cap`` seconds.

    A server's own wish to wait counts instead, jitter added. A pause that the deadline has no room for is not made.
    """

    def __init__(
        self,
        *,
        attempts: int = 3,
        base: float = 0.1,
        cap: float = 2.0,
        jitter: Callable[[float, float], float] = random.uniform,
        sleep: Callable[[float], None] = sleep,
    ) -> None:
        self._attempts = attempts
        self._base = base
        self._cap = cap
        self._jitter = jitter
        self._sleep = sleep

    def run(self, attempt: Callable[[], T], deadline: Deadline, again: Callable[[], None]) -> T:
        """What ``attempt`` returns at last; ``again`` is called before each repetition.

        Raises the error of the last ``Passing``; all else that ``attempt`` raises passes through.
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
