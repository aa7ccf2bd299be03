"""A bounded map that evicts the least recently used."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

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
        self._values: OrderedDict[K, tuple[V, int]] = OrderedDict()
        self._weight = 0
        self._lock = threading.Lock()

    @property
    def weight(self) -> int:
        """The total weight of all values."""
        return self._weight

    def get(self, key: K) -> V | None:
        kept = self._values.get(key)
        if kept is None:
            return None
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
        return kept[0]

    def values(self) -> list[V]:
        """All values, the least recently used first."""
        with self._lock:
            return [value for value, _ in self._values.values()]

    def keep(self, key: K, value: V) -> None:
        self.update(key, lambda _: value)

    def forget(self, key: K) -> None:
        if key in self._values:
            self.update(key, lambda _: None)

    def clear(self) -> None:
        with self._lock:
            self._values.clear()
            self._weight = 0

    def update(self, key: K, change: Callable[[V | None], V | None]) -> None:
        """Replace the value by the result of ``change``, atomically; ``None`` stands for no value."""
        with self._lock:
            old, weight = self._values.get(key, (None, 0))
            new = change(old)
            new_weight = 0 if new is None else self._weigh(new)
            if new is None or new_weight > self.capacity:
                self._values.pop(key, None)
                self._weight -= weight
                return
            self._values[key] = new, new_weight
            self._values.move_to_end(key)
            self._weight += new_weight - weight
            while self._weight > self.capacity:
                self._weight -= self._values.popitem(last=False)[1][1]
