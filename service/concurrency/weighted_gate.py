"""Bounds concurrent work by its weight."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from service.concurrency.blocking import waiting


class GateFull(Exception):
    """Too many threads wait at the gate."""


class _Waiter(msgspec.Struct, frozen=True, eq=False):
    weight: int
    admitted: threading.Event = msgspec.field(default_factory=threading.Event)


class WeightedGate:
    """Admits work whose weights sum up to ``capacity`` at most, first come, first served. Thread-safe.

    Heavier work counts as ``capacity``, so it is done alone. Work of up to ``free`` passes at once and does not count.
    At most ``most_waiting`` threads wait, without their slots (``blocking``).
    """

    def __init__(self, capacity: int, *, free: int, most_waiting: int) -> None:
        self._capacity = capacity
        self._free = free
        self._most_waiting = most_waiting
        self._room = capacity
        self._waiters: deque[_Waiter] = deque()
        self._lock = threading.Lock()

    @contextmanager
    def admitted(self, weight: int, timeout: float) -> Iterator[None]:
        """The context in which the work is done. Raises ``GateFull``, or ``TimeoutError`` after ``timeout`` seconds."""
        if weight <= self._free:
            yield
            return
        weight = min(weight, self._capacity)
        self._enter(weight, timeout)
        try:
            yield
        finally:
            self._leave(weight)

    def _enter(self, weight: int, timeout: float) -> None:
        with self._lock:
            if not self._waiters and weight <= self._room:
                self._room -= weight
                return
            if len(self._waiters) >= self._most_waiting:
                raise GateFull
            waiter = _Waiter(weight)
            self._waiters.append(waiter)
        try:
            with waiting():
                waiter.admitted.wait(timeout)
        except BaseException:
            if not self._withdraw(waiter):
                self._leave(weight)
            raise
        if self._withdraw(waiter):
            raise TimeoutError

    def _withdraw(self, waiter: _Waiter) -> bool:
        """Stop waiting; whether the waiter had not been admitted yet."""
        with self._lock:
            if waiter.admitted.is_set():
                return False
            self._waiters.remove(waiter)
            self._admit()
            return True

    def _leave(self, weight: int) -> None:
        with self._lock:
            self._room += weight
            self._admit()

    def _admit(self) -> None:
        """Admit the next waiters; the lock is held."""
        while self._waiters and self._waiters[0].weight <= self._room:
            waiter = self._waiters.popleft()
            self._room -= waiter.weight
            waiter.admitted.set()
