"""Spares a runtime that fails, and those who would wait for it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

from service.concurrency.blocking import waiting
from service.domain.errors import RuntimeTimeout, RuntimeTrouble, RuntimeUnavailable
from service.runtimes.transport.retries import whole_seconds
from service.runtimes.transport.translation import reason
from service.telemetry.metrics import Telemetry

_log = logging.getLogger("service.runtimes")


class State(IntEnum):
    """As ``Telemetry.circuit_state`` counts them."""

    CLOSED = 0
    HALF_OPEN = 1
    OPEN = 2


@dataclass(frozen=True, slots=True)
class Tolerance:
    """When a circuit opens, and for how long. Times in seconds.

    It opens after ``failures`` in a row with no success for ``patience`` among them: a few runs that are slow, or that
    the runtime fails on, do not shut out the others. It stays open for ``cooldown``, doubling with each probe that
    fails up to ``longest``. A timeout after less than ``telling`` says nothing: the caller had no time to give.
    Nor does one during which another exchange succeeded: that run is slow, not the runtime. For ``promptly`` a probe is
    waited for by those that come beside it: a read asks for several things at once, and fails where one is refused.
    """

    failures: int = 5
    patience: float = 2.0
    cooldown: float = 1.0
    longest: float = 5.0
    telling: float = 0.5
    promptly: float = 0.3


class Circuit:
    """Closed, all may pass; open, none; half open, one probe at a time, or one each ``longest`` where it hangs.

    ``check`` before taking anything up, ``enter`` right before an exchange, and ``worked`` or ``failed`` after it.
    Every change of state is one line of the log. Safe from any thread.
    """

    def __init__(
        self,
        tolerance: Tolerance | None = None,
        *,
        telemetry: Telemetry,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tolerance = tolerance or Tolerance()
        self._telemetry = telemetry
        self._clock = clock
        self._changed = threading.Condition()
        self._state = State.CLOSED
        self._failures = 0
        self._worked_at = float("-inf")
        self._cooldown = self._tolerance.cooldown
        self._shut_until = 0.0
        self._probed_promptly_until = 0.0
        telemetry.circuit_state(self._state)

    @property
    def state(self) -> State:
        return self._state

    def check(self) -> None:
        """Raises ``RuntimeUnavailable`` while nobody may pass."""
        with self._changed:
            if not self._is_probed():
                self._check()

    def enter(self) -> bool:
        """Whether this exchange is a probe; waits for one that has just begun. Raises as ``check`` does."""
        with self._changed:
            if self._is_probed():
                left = self._probed_promptly_until - self._clock()
                with waiting():
                    self._changed.wait_for(lambda: self._state is not State.HALF_OPEN, left)
            self._check()
            if self._state is State.CLOSED:
                return False
            now = self._clock()
            self._shut_until = now + self._tolerance.longest
            self._probed_promptly_until = now + self._tolerance.promptly
            self._become(State.HALF_OPEN, "the cool-down is over")
            return True

    def worked(self) -> None:
        """The runtime answered, be it with a refusal."""
        with self._changed:
            self._failures = 0
            self._worked_at = self._clock()
            self._cooldown = self._tolerance.cooldown
            self._become(State.CLOSED, "it answers again")

    def failed(self, error: BaseException, *, probe: bool, seconds: float) -> None:
        """The exchange ended with ``error`` after ``seconds``; whether that is the runtime's failure is told here."""
        if isinstance(error, RuntimeTrouble) and not isinstance(error, RuntimeUnavailable | RuntimeTimeout):
            return self.worked()
        with self._changed:
            untold = not isinstance(error, RuntimeTrouble) or (
                isinstance(error, RuntimeTimeout) and not self._is_telling(seconds)
            )
            return self._left(probe) if untold else self._count(error, probe)

    def _is_telling(self, seconds: float) -> bool:
        return seconds >= self._tolerance.telling and self._worked_at < self._clock() - seconds

    def _is_probed(self) -> bool:
        """Whether a probe has just begun, so that its outcome is to be waited for."""
        return self._state is State.HALF_OPEN and self._clock() < min(self._probed_promptly_until, self._shut_until)

    def _check(self) -> None:
        left = self._shut_until - self._clock()
        if self._state is not State.CLOSED and left > 0:
            raise RuntimeUnavailable(
                "circuit breaker open: the AI runtime is failing; retry later", whole_seconds(left)
            )

    def _left(self, probe: bool) -> None:
        """Broken off: the next may probe."""
        if probe and self._state is State.HALF_OPEN:
            self._shut_until = self._clock()

    def _count(self, error: BaseException, probe: bool) -> None:
        self._failures += 1
        now = self._clock()
        if self._state is State.CLOSED:
            if self._failures >= self._tolerance.failures and now - self._worked_at >= self._tolerance.patience:
                self._open(now, error)
        elif probe:
            self._cooldown = min(2 * self._cooldown, self._tolerance.longest)
            self._open(now, error)

    def _open(self, now: float, error: BaseException) -> None:
        self._shut_until = now + self._cooldown
        self._become(State.OPEN, reason(error))

    def _become(self, state: State, why: str) -> None:
        if state is self._state:
            return
        self._state = state
        self._changed.notify_all()
        self._telemetry.circuit_state(state)
        name = state.name.lower().replace("_", "-")
        level = logging.WARNING if state is State.OPEN else logging.INFO
        _log.log(level, "the runtime's circuit is %s: %s", name, why, extra={"event": "circuit", "state": name})
