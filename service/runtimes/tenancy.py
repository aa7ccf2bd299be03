"""Whether a runtime isolates resource groups, as far as this process knows."""

from __future__ import annotations

import time
from collections.abc import Callable

from service.concurrency.single_flight import SingleFlight, StillUnderWay
from service.domain.errors import RuntimeTimeout, RuntimeTrouble
from service.domain.runtime import Capabilities, RequestContext

LIFETIME = 300.0
"""Seconds after which the capabilities are read again; the known answer is used meanwhile."""
_PAUSE = 5.0
"""Seconds after a failure for which they are not read again."""


class Tenancy:
    """What this process knows about a runtime's tenancy. Thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._multitenant: bool | None = None
        self._ask_from = float("-inf")
        self._trouble: RuntimeTrouble | None = None
        self._asking: SingleFlight[None] = SingleFlight()

    def note(self, multitenant: bool) -> None:
        """Record what the runtime has just stated."""
        self._multitenant, self._trouble = multitenant, None
        self._ask_from = self._clock() + LIFETIME

    def multitenant(self, context: RequestContext, capabilities: Callable[[RequestContext], Capabilities]) -> bool:
        """Whether requests name their resource group.

        Where that is not known, one thread reads ``capabilities``, and others wait for it up to their deadline; where
        the caller's own token is sent, only threads of the same caller, as others may not be refused. Where it was
        known, no request waits for another. Raises what ``capabilities`` does where nothing is known.
        """
        if context.known is not None:
            return context.known.multitenant
        if self._clock() >= self._ask_from or self._multitenant is None:
            try:
                wait = 0.0 if self._multitenant is not None else context.deadline.remaining()
                self._asking.do(context.cache_scope.caller, lambda: self._find_out(context, capabilities), wait)
            except StillUnderWay:
                if self._multitenant is None:
                    raise RuntimeTimeout from None
        known = self._multitenant
        if known is not None:
            return known
        raise RuntimeTimeout if self._trouble is None else self._trouble.with_traceback(None)

    def _find_out(self, context: RequestContext, capabilities: Callable[[RequestContext], Capabilities]) -> None:
        if self._clock() < self._ask_from:
            return
        try:
            self.note(capabilities(context).multitenant)
        except RuntimeTrouble as trouble:
            self._trouble, self._ask_from = trouble, self._clock() + _PAUSE
