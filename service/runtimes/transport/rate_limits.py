"""Remembers a rate limit for as long as the server asked to be left alone."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from service.domain.errors import RateLimited
from service.runtimes.transport.retry_after import LONGEST, whole_seconds

_MOST = 1000


class RateLimits:
    """The limits of one runtime: one for the service, one for each caller whose own token is sent. Thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._until: dict[int, float] = {}

    def check(self, caller_token: str | None) -> None:
        """Raises ``RateLimited`` while a limit lasts."""
        left = self._until.get(hash(caller_token), 0.0) - self._clock()
        if left > 0:
            raise RateLimited(whole_seconds(left))

    def note(self, caller_token: str | None, seconds: float) -> None:
        """A limit was met that lasts for ``seconds``, here at most ``LONGEST``."""
        now = self._clock()
        with self._lock:
            if len(self._until) >= _MOST:
                self._until = {key: until for key, until in self._until.items() if until > now}
            self._until[hash(caller_token)] = now + min(seconds, LONGEST)
