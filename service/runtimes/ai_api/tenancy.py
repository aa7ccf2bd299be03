"""Whether a runtime keeps resource groups apart (AI API ``GET /lm/meta``, ``aiApi.capabilities.multitenant``)."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

from service.concurrency.deadline import Deadline
from service.concurrency.single_flight import SingleFlight, StillUnderWay
from service.domain.errors import RuntimeTrouble, ServiceError
from service.domain.runtime import Capabilities

GRACE = 1.0
"""Seconds that a request waits to hear it."""
_PAUSE = 5.0


class Tenancy:
    """What this process knows of it. Safe from any thread.

    A runtime that does not tell counts as one that does: without a group it might answer from its default group, and
    that answer would be kept as another group's.
    """

    def __init__(self) -> None:
        self._multitenant: bool | None = None
        self._heard_at = float("-inf")
        self._ask_from = float("-inf")
        self._asking: SingleFlight[None] = SingleFlight()

    def observe(self, capabilities: Capabilities, observed_at: float) -> None:
        """Note what was heard, by this process or another, at ``observed_at`` (epoch seconds); the latest counts."""
        if observed_at >= self._heard_at:
            self._multitenant, self._heard_at = capabilities.multitenant, observed_at

    def takes_groups(self, ask: Callable[[], object], deadline: Deadline, caller: str | None = None) -> bool:
        """Whether requests name their resource group.

        Where that is not known, one thread has ``ask`` find out, and others wait for that; with ``caller``, the one
        whose token is sent, only its own: who is refused is not everybody.
        """
        if self._multitenant is None:
            with suppress(StillUnderWay):
                self._asking.do(caller, lambda: self._find_out(ask), min(GRACE, deadline.remaining()))
        return self._multitenant is not False

    def _find_out(self, ask: Callable[[], object]) -> None:
        if self._multitenant is not None or time.monotonic() < self._ask_from:
            return
        try:
            ask()
        except RuntimeTrouble:
            self._ask_from = time.monotonic() + _PAUSE
        except ServiceError:
            return
