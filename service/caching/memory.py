"""The cache of a service without a cache server: in the process, bounded in bytes, least recently used out first."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

ITEM_OVERHEAD = 200
"""Bytes that an item costs beside its key and value, roughly what CPython needs for it."""

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
        self._max_bytes = max_bytes
        self._clock = clock
        self._mutex = threading.Lock()
        self._items: OrderedDict[str, _Item] = OrderedDict()
        self._locks: dict[str, _Hold] = {}
        self._sweep_at = _LOCKS_BEFORE_SWEEP
        self._bytes = 0

    @property
    def bytes_used(self) -> int:
        return self._bytes

    def get(self, key: str) -> bytes | None:
        with self._mutex:
            return self._read(key)

    def get_many(self, keys: Sequence[str]) -> list[bytes | None]:
        with self._mutex:
            return [self._read(key) for key in keys]

    def set_many(self, items: Mapping[str, bytes], ttl: float) -> None:
        with self._mutex:
            ends = self._clock() + max(ttl, SHORTEST_TTL)
            for key, value in items.items():
                self._write(key, value, ends)

    def delete(self, key: str) -> None:
        with self._mutex:
            self._drop(key)

    def acquire(self, key: str, owner: str, ttl: float) -> bool:
        with self._mutex:
            if self._holder(key) is not None:
                return False
            self._sweep_locks()
            self._locks[key] = _Hold(owner, self._clock() + max(ttl, SHORTEST_TTL))
            return True

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

    def ping(self) -> None:
        """There is no server that could be gone."""

    def close(self) -> None:
        with self._mutex:
            self._items.clear()
            self._locks.clear()
            self._bytes = 0

    def _read(self, key: str) -> bytes | None:
        item = self._items.get(key)
        if item is None:
            return None
        if item.ends <= self._clock():
            self._drop(key)
            return None
        self._items.move_to_end(key)
        return item.value

    def _write(self, key: str, value: bytes, ends: float) -> None:
        self._drop(key)
        size = len(key.encode()) + len(value) + ITEM_OVERHEAD
        if size > self._max_bytes:
            return
        while self._bytes + size > self._max_bytes:
            self._drop(next(iter(self._items)))
        self._items[key] = _Item(value, ends, size)
        self._bytes += size

    def _drop(self, key: str) -> None:
        item = self._items.pop(key, None)
        if item is not None:
            self._bytes -= item.size

    def _holder(self, key: str) -> str | None:
        hold = self._locks.get(key)
        return hold.owner if hold is not None and hold.ends > self._clock() else None

    def _sweep_locks(self) -> None:
        """Forget locks that have ended. The next sweep comes when twice as many are there, so its cost is spread."""
        if len(self._locks) < self._sweep_at:
            return
        now = self._clock()
        self._locks = {key: hold for key, hold in self._locks.items() if hold.ends > now}
        self._sweep_at = max(_LOCKS_BEFORE_SWEEP, 2 * len(self._locks))
