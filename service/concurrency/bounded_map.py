"""A bounded map that evicts the least recently used."""

from __future__ import annotations

import threading
from collections.abc import Callable
from operator import itemgetter
from typing import Generic, TypeVar

from cachetools import Cache, LRUCache

K = TypeVar("K")
V = TypeVar("V")


def one(_: object) -> int:
    """The weight of each value of a map bounded by number."""
    return 1


class BoundedMap(Generic[K, V]):
    """Values whose weights (``weigh``) sum up to ``capacity`` at most. Thread-safe.

    A value with a greater weight is not kept.
    """

    def __init__(self, capacity: int, weigh: Callable[[V], int] = one) -> None:
        self.capacity = capacity
        self._weigh = weigh
        self._values: LRUCache[K, tuple[V, int]] = LRUCache(capacity, itemgetter(1))
        self._lock = threading.Lock()

    @property
    def weight(self) -> int:
        """The total weight of all values."""
        return int(self._values.currsize)

    def get(self, key: K) -> V | None:
        try:
            with self._lock:
                return self._values[key][0]
        except KeyError:
            return None

    def values(self) -> list[V]:
        """All values, in no particular order."""
        with self._lock:
            return [Cache.__getitem__(self._values, key)[0] for key in self._values]  # which is no use of them

    def keep(self, key: K, value: V) -> None:
        self.update(key, lambda _: value)

    def forget(self, key: K) -> None:
        if key in self._values:
            self.update(key, lambda _: None)

    def clear(self) -> None:
        with self._lock:
            self._values.clear()

    def update(self, key: K, change: Callable[[V | None], V | None]) -> None:
        """Replace the value by the result of ``change``, atomically; ``None`` stands for no value."""
        with self._lock:
            old, _ = self._values.get(key, (None, 0))
            new = change(old)
            weight = 0 if new is None else self._weigh(new)
            if new is None or weight > self.capacity:
                self._values.pop(key, None)
            else:
                self._values[key] = new, weight
