"""The cache of a service without a cache server: in the process, bounded in bytes, evicting the least recently used."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from service.caching.changes import Changes
from service.caching.protocol import Acquired, Replacement
from service.concurrency.bounded_map import BoundedMap

ITEM_OVERHEAD = 200
"""Bytes of overhead of an item beside its key and value, roughly those of CPython's objects."""

SHORTEST_TTL = 0.001
"""Seconds; a shorter time to live counts as this one."""

_LOCKS_BEFORE_SWEEP = 1024


class _Item(NamedTuple):
    value: bytes
    ends: float
    size: int


class _Hold(NamedTuple):
    owner: str
    ends: float


class MemoryCache:
    """Implements ``protocol.Cache``; nothing here fails, so nothing raises ``CacheUnavailable``.

    ``max_bytes`` bounds keys, values and ``ITEM_OVERHEAD`` together; an item that is larger by itself is not kept.
    ``clock`` counts seconds and never runs backwards. Locks are counted apart from values and are never evicted: each
    ends by its time to live.
    """

    def __init__(self, max_bytes: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._items: BoundedMap[str, _Item] = BoundedMap(max_bytes, lambda item: item.size)
        self._mutex = threading.Lock()
        self._locks: dict[str, _Hold] = {}
        self._sweep_at = _LOCKS_BEFORE_SWEEP

    @property
    def bytes_used(self) -> int:
        return self._items.weight

    def get(self, key: str) -> bytes | None:
        item = self._items.get(key)
        if item is None:
            return None
        if item.ends <= self._clock():
            self._items.update(key, lambda there: None if there is item else there)
            return None
        return item.value

    def get_many(self, keys: Sequence[str]) -> dict[str, bytes | None]:
        return {key: self.get(key) for key in keys}

    def set_many(self, items: Mapping[str, bytes], ttl: float) -> None:
        ends = self._clock() + max(ttl, SHORTEST_TTL)
        for key, value in items.items():
            self._items.keep(key, _Item(value, ends, len(key.encode()) + len(value) + ITEM_OVERHEAD))

    def replace_many(self, items: Mapping[str, Replacement]) -> None:
        for key, item in items.items():
            self.set_many({**item.beside, key: item.value}, item.ttl)
            if item.lock:
                self.release(item.lock, item.owner)

    def subscribe(self, changes: Changes) -> None:
        """No other process replaces anything."""
        changes.began()
        changes.complete(math.inf)

    def delete(self, key: str) -> None:
        self._items.forget(key)

    def acquire(self, key: str, owner: str, ttl: float) -> bool:
        with self._mutex:
            if self._holder(key) is not None:
                return False
            self._sweep_locks()
            self._locks[key] = _Hold(owner, self._clock() + max(ttl, SHORTEST_TTL))
            return True

    def acquire_many(self, locks: Mapping[str, str], owner: str, ttl: float) -> dict[str, Acquired]:
        return {key: Acquired(self.acquire(lock, owner, ttl), self.get(key)) for key, lock in locks.items()}

    def extend(self, key: str, owner: str, ttl: float) -> bool:
        with self._mutex:
            if self._holder(key) != owner:
                return False
            self._locks[key] = _Hold(owner, self._clock() + max(ttl, SHORTEST_TTL))
            return True

    def release(self, key: str, owner: str) -> None:
        with self._mutex:
            if self._holder(key) == owner:
                del self._locks[key]

    def release_many(self, keys: Sequence[str], owner: str) -> None:
        for key in keys:
            self.release(key, owner)

    def ping(self) -> None:
        """There is no server to fail."""

    def close(self) -> None:
        self._items.clear()
        with self._mutex:
            self._locks.clear()

    def _holder(self, key: str) -> str | None:
        hold = self._locks.get(key)
        return hold.owner if hold is not None and hold.ends > self._clock() else None

    def _sweep_locks(self) -> None:
        """Remove locks that have ended. The next sweep is due at twice the remaining number, which amortises its
        cost."""
        if len(self._locks) < self._sweep_at:
            return
        now = self._clock()
        self._locks = {key: hold for key, hold in self._locks.items() if hold.ends > now}
        self._sweep_at = max(_LOCKS_BEFORE_SWEEP, 2 * len(self._locks))
