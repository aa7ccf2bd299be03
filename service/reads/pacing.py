"""Spaces fetches that clients force, for each key, over all processes.

A forced fetch takes a lock in the shared cache that nobody releases: it expires when the next one may begin, by the
cache's own clock. Where the shared cache cannot be used, each process has its own locks.
"""

from __future__ import annotations

from collections.abc import Callable

from service.caching.entry_keys import refresh_key
from service.caching.memory import MemoryCache
from service.caching.protocol import Cache
from service.domain.errors import CacheUnavailable

_SOONEST = 0.02
"""The shortest wait in seconds, so that differences of clocks do not cause a busy loop."""


class Pacing:
    """At most one forced fetch of a key in ``interval`` seconds; no limit where that is 0. Thread-safe.

    ``now`` in seconds since the epoch.
    """

    def __init__(self, cache: Cache, interval: float, now: Callable[[], float]) -> None:
        self._caches = (cache, MemoryCache(0, clock=now))
        self._interval = interval
        self._now = now

    def begin(self, key: str, fetched_at: float | None) -> float:
        """Begin a forced fetch: 0 where it may begin now, otherwise the seconds to wait.

        ``fetched_at`` is when the fetch of the stored entry began, if there is one (seconds since the epoch).
        """
        if self._interval <= 0 or self._noted(refresh_key(key)):
            return 0.0
        since = self._now() - fetched_at if fetched_at is not None else 0.0
        left = self._interval - since if 0 <= since < self._interval else self._interval / 4
        return max(_SOONEST, left)

    def _noted(self, name: str) -> bool:
        for cache in self._caches:
            try:
                return cache.acquire(name, "", self._interval)
            except CacheUnavailable:
                continue
        return True
