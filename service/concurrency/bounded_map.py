"""A map that forgets what was not used for longest."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class BoundedMap(Generic[K, V]):
    """Values whose weights (``weigh``) add up to ``capacity`` at most. Safe from any thread.

    A value that is heavier by itself is not kept.
    """

    def __init__(self, capacity: int, weigh: Callable[[V], int]) -> None:
        self.capacity = capacity
        self._weigh = weigh
        self._values: OrderedDict[K, V] = OrderedDict()
        self._weight = 0
        self._lock = threading.Lock()

    def get(self, key: K) -> V | None:
        value = self._values.get(key)
        if value is not None:
            with self._lock:
                if key in self._values:
                    self._values.move_to_end(key)
        return value

    def forget(self, key: K) -> None:
        if key in self._values:
            with self._lock:
                value = self._values.pop(key, None)
                if value is not None:
                    self._weight -= self._weigh(value)

    def keep(self, key: K, value: V) -> None:
        weight = self._weigh(value)
        with self._lock:
            if key in self._values:
                self._weight -= self._weigh(self._values.pop(key))
            if weight > self.capacity:
                return
            self._values[key] = value
            self._weight += weight
            while self._weight > self.capacity:
                self._weight -= self._weigh(self._values.popitem(last=False)[1])
