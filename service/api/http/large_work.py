"""Bounds the making of large answers: how many at once, and how long each may take."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager

from service.concurrency.time_limit import TookTooLong, time_limit
from service.concurrency.weighted_gate import GateFull, WeightedGate
from service.domain.errors import Overloaded
from service.telemetry.prometheus import Telemetry

BUSY = "too many large answers are being made; try again, or ask for less: a page, fewer metrics, a filter"
_LONG = "the answer could not be made in time; ask for less: a page, fewer metrics, a filter"
_AT_ONCE = 2
_MOST_TURNS = 256
_AFTER = 5
"""Seconds of ``Retry-After``."""


class _Thread(threading.local):
    admitted = False


class LargeWork:
    """Admits the making of answers by their weight, the bytes of stored content that they are made of.

    Answers of up to ``free`` bytes are small and not bounded. Those of up to ``medium`` bytes are made one at a time:
    each takes tens of milliseconds, and threads that share the interpreter's lock would finish no two of them sooner.
    Of larger ones, ``capacity`` bytes are worked on at once, by two threads at most, so that other threads are left for
    small answers. In each class up to ``most_waiting`` wait for admission, each up to ``longest_wait`` seconds, without
    their threads' slots. ``longest`` is how many seconds one answer may take, checked between chunks of points
    (``concurrency.time_limit``). An answer of up to ``whole`` bytes is made as a whole, whether it will be kept or not.
    """

    def __init__(
        self,
        capacity: int = 192 * 1024 * 1024,
        *,
        free: int = 256 * 1024,
        medium: int = 4 * 1024 * 1024,
        most_waiting: int = 64,
        longest_wait: float = 20.0,
        longest: float = 30.0,
        whole: int = 8 * 1024 * 1024,
        telemetry: Telemetry | None = None,
    ) -> None:
        self.whole = whole
        self._free = free
        self._medium = medium
        self._least = capacity // _AT_ONCE
        self._turns = WeightedGate(1, free=0, most_waiting=_MOST_TURNS)
        self._one_by_one = WeightedGate(1, free=0, most_waiting=most_waiting)
        self._gate = WeightedGate(capacity, free=0, most_waiting=most_waiting)
        self._longest_wait = longest_wait
        self._longest = longest
        self._telemetry = telemetry
        self._thread = _Thread()

    @property
    def is_admitted(self) -> bool:
        """Whether this thread has been admitted."""
        return self._thread.admitted

    @property
    def patience(self) -> float:
        """Seconds after which another request's work has certainly ended."""
        return self._longest_wait + self._longest + _AFTER

    @contextmanager
    def admitted(self, weight: int) -> Iterator[None]:
        """Admission to make an answer of ``weight`` bytes; nested calls are part of the first. Raises
        ``Overloaded``."""
        if weight <= self._free or self._thread.admitted:
            yield
            return
        with ExitStack() as stack:
            try:
                stack.enter_context(self._waited_for(weight))
            except (GateFull, TimeoutError):
                raise self._refusal(BUSY) from None
            stack.enter_context(time_limit(self._longest))
            self._thread.admitted = True
            try:
                yield
            except TookTooLong:
                raise self._refusal(_LONG) from None
            finally:
                self._thread.admitted = False

    def _waited_for(self, weight: int) -> AbstractContextManager[None]:
        if weight <= self._medium:
            return self._one_by_one.admitted(1, self._longest_wait)
        return self._gate.admitted(max(weight, self._least), self._longest_wait)

    @contextmanager
    def turn(self, weight: int) -> Iterator[None]:
        """A turn to make the next piece of a streamed answer; one such answer has a turn at a time.

        A turn takes milliseconds and does not include sending, so no slow client holds one.
        """
        if weight <= self._free or self._thread.admitted:
            yield
            return
        with ExitStack() as stack:
            try:
                stack.enter_context(self._turns.admitted(1, self._longest_wait))
            except (GateFull, TimeoutError):
                raise self._refusal(BUSY) from None
            yield

    def _refusal(self, detail: str) -> Overloaded:
        if self._telemetry is not None:
            self._telemetry.refusal("overloaded")
        return Overloaded(detail, _AFTER)
