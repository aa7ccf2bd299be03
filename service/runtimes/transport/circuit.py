"""The circuit breaker of a runtime: which errors are the runtime's own failures."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from service.concurrency.circuit_breaker import CircuitBreaker, CircuitOpen, State, Tolerance
from service.domain.errors import RuntimeTimeout, RuntimeTrouble, RuntimeUnavailable
from service.runtimes.transport.retries import whole_seconds
from service.runtimes.transport.translation import reason
from service.telemetry.prometheus import Telemetry

_log = logging.getLogger("service.runtimes")


class Circuit:
    """Call ``check`` before any work, ``enter`` right before an exchange, and ``worked`` or ``failed`` after it.

    A timeout after less than ``telling`` seconds does not count: the caller's deadline was too short. Nor does one
    during which another exchange succeeded: then the run is slow, not the runtime. Every change of state is logged.
    """

    def __init__(
        self,
        tolerance: Tolerance | None = None,
        *,
        telling: float = 0.5,
        telemetry: Telemetry,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._breaker = CircuitBreaker(tolerance or Tolerance(), self._changed, clock)
        self._telling = telling
        self._telemetry = telemetry
        telemetry.circuit_state(State.CLOSED)

    @property
    def state(self) -> State:
        return self._breaker.state

    def check(self) -> None:
        """Raises ``RuntimeUnavailable`` while the circuit is open."""
        try:
            self._breaker.check()
        except CircuitOpen as refusal:
            raise _unavailable(refusal) from None

    def enter(self) -> bool:
        """Whether this exchange is a probe; waits for one that has just begun. Raises as ``check`` does."""
        try:
            return self._breaker.enter()
        except CircuitOpen as refusal:
            raise _unavailable(refusal) from None

    def worked(self, *, probe: bool) -> None:
        """The runtime answered, even if with a refusal."""
        self._breaker.succeeded(probe=probe)

    def failed(self, error: BaseException, *, probe: bool, seconds: float) -> None:
        """The exchange ended with ``error`` after ``seconds``: as the runtime's failure, or for another reason."""
        match error:
            case RuntimeTimeout() if seconds < self._telling or self._breaker.succeeded_within(seconds):
                self._breaker.abandoned(probe=probe)
            case RuntimeTimeout() | RuntimeUnavailable():
                self._breaker.failed(reason(error), probe=probe)
            case RuntimeTrouble():
                self._breaker.succeeded(probe=probe)
            case _:
                self._breaker.abandoned(probe=probe)

    def _changed(self, state: State, why: str) -> None:
        self._telemetry.circuit_state(state)
        name = state.name.lower().replace("_", "-")
        level = logging.WARNING if state is State.OPEN else logging.INFO
        _log.log(level, "the runtime's circuit is %s: %s", name, why, extra={"event": "circuit", "state": name})


def _unavailable(refusal: CircuitOpen) -> RuntimeUnavailable:
    detail = "circuit breaker open: the AI runtime is failing; retry later"
    return RuntimeUnavailable(detail, whole_seconds(refusal.seconds))
