"""The rate limits of a runtime: no request is sent before its ``Retry-After`` is over."""

from __future__ import annotations

import time
from collections.abc import Callable

from service.concurrency.bounded_map import BoundedMap
from service.domain.errors import RateLimited
from service.runtimes.transport.retries import LONGEST, whole_seconds

_MOST = 1000


class RateLimits:
    """The limits of one runtime: one for the service, and one for each caller whose own token is sent. Thread-safe.

    Clients get the runtime's own ``Retry-After``; the next request to the runtime is after ``LONGEST`` seconds at the
    latest.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until: BoundedMap[int, tuple[float, float]] = BoundedMap(_MOST)

    def check(self, caller_token: str | None) -> None:
        """Raises ``RateLimited`` while a limit lasts."""
        silent_until, limited_until = self._until.get(hash(caller_token)) or (0.0, 0.0)
        now = self._clock()
        if now < silent_until:
            raise RateLimited(whole_seconds(limited_until - now))

    def note(self, caller_token: str | None, seconds: float) -> None:
        """Record a limit that lasts for ``seconds``."""
        now = self._clock()
        self._until.keep(hash(caller_token), (now + min(seconds, LONGEST), now + seconds))
