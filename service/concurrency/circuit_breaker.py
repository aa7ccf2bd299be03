"""A circuit breaker: stops calls of a failing server, for its sake and that of its callers."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from enum import IntEnum

import msgspec

from service.concurrency.blocking import waiting


class State(IntEnum):
    """The states; the values are those of the metrics."""

    CLOSED = 0
    HALF_OPEN = 1
    OPEN = 2


class Tolerance(msgspec.Struct, frozen=True):
    """When a breaker opens, and for how long. Times in seconds.

    It opens after ``failures`` in a row over at least ``patience``, and stays open for ``cooldown``, doubled with each
    failed probe up to ``longest``. Concurrent calls wait for a probe's result for ``promptly``.
    """

    failures: int = 5
    patience: float = 2.0
    cooldown: float = 1.0
    longest: float = 5.0
    promptly: float = 0.3


class CircuitOpen(Exception):
    """The breaker is open, for ``seconds`` more."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class CircuitBreaker:
    """Closed, it lets all calls pass; open, none; half open, one probe at a time, or one every ``longest`` if it hangs.

    Call ``enter`` before each call and, with its result, one of ``succeeded``, ``failed`` or ``abandoned`` after it.
    ``changed`` is called with each new state and its reason. Thread-safe.
    """

    def __init__(
        self,
        tolerance: Tolerance,
        changed: Callable[[State, str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tolerance = tolerance
        self._changed = changed
        self._clock = clock
        self._condition = threading.Condition()
        self._state = State.CLOSED
        self._failures = 0
        self._succeeded_at = float("-inf")
        self._cooldown = tolerance.cooldown
        self._open_until = 0.0
        self._probed_promptly_until = 0.0

    @property
    def state(self) -> State:
        return self._state

    def check(self) -> None:
        """Raises ``CircuitOpen`` while no call may pass."""
        if self._state is not State.CLOSED:
            with self._condition:
                if not self._is_probed():
                    self._check()

    def enter(self) -> bool:
        """Whether this call is a probe; waits for the result of one that has just begun. Raises like ``check``."""
        if self.state is State.CLOSED:
            return False
        if self._is_probed():
            with waiting(), self._condition:  # the lock is released before the thread waits for its slot
                left = self._probed_promptly_until - self._clock()
                self._condition.wait_for(lambda: self._state is not State.HALF_OPEN, left)
        with self._condition:
            self._check()
            if self._state is State.CLOSED:
                return False
            now = self._clock()
            self._open_until = now + self._tolerance.longest
            self._probed_promptly_until = now + self._tolerance.promptly
            self._become(State.HALF_OPEN, "the cool-down is over")
            return True

    def succeeded(self, *, probe: bool) -> bool:
        """The call was answered. Returns whether that counts: not for a call from before the breaker opened."""
        with self._condition:
            self._succeeded_at = self._clock()
            if not self._counts(probe):
                return False
            self._failures = 0
            self._cooldown = self._tolerance.cooldown
            self._become(State.CLOSED, "it answers again")
            return True

    def failed(self, reason: str, *, probe: bool) -> None:
        """The server failed. A call from before the breaker opened does not count."""
        with self._condition:
            if not self._counts(probe):
                return
            now = self._clock()
            self._failures += 1
            if self._state is not State.CLOSED:
                self._cooldown = min(2 * self._cooldown, self._tolerance.longest)
            elif self._failures < self._tolerance.failures or now - self._succeeded_at < self._tolerance.patience:
                return
            self._open_until = now + self._cooldown
            self._become(State.OPEN, reason)

    def abandoned(self, *, probe: bool) -> None:
        """The call was abandoned without a result: the next may be a probe."""
        with self._condition:
            if probe and self._state is State.HALF_OPEN:
                self._open_until = self._clock()

    def succeeded_within(self, seconds: float) -> bool:
        """Whether any call was answered in the last ``seconds``."""
        return self._succeeded_at >= self._clock() - seconds

    def _counts(self, probe: bool) -> bool:
        return probe or self._state is State.CLOSED

    def _is_probed(self) -> bool:
        """Whether a probe has just begun, whose result others wait for."""
        return self._state is State.HALF_OPEN and self._clock() < min(self._probed_promptly_until, self._open_until)

    def _check(self) -> None:
        left = self._open_until - self._clock()
        if self._state is not State.CLOSED and left > 0:
            raise CircuitOpen(left)

    def _become(self, state: State, reason: str) -> None:
        if state is not self._state:
            self._state = state
            self._condition.notify_all()
            self._changed(state, reason)
