"""Fetches under way in this process: readers of the same thing share one.

A flight serves one or several keys. Its work runs on a bounded pool, so a slow runtime holds a bounded number of
threads, and a reader may stop waiting, at its own deadline, without ending the flight for the others.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from service.domain.errors import Overloaded, ServiceError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Flight(Generic[T]):
    """One key's part of a fetch under way. ``began_at`` is in seconds since the epoch."""

    began_at: float
    landed: Future[T | ServiceError] = field(default_factory=Future)


class Flights(Generic[T]):
    """All flights of this process, by key. At most ``limit`` fetches are under way at once."""

    def __init__(self, limit: int) -> None:
        self._pool = ThreadPoolExecutor(limit, thread_name_prefix="fetch")
        self._slots = threading.BoundedSemaphore(limit)
        self._by_key: dict[str, Flight[T]] = {}
        self._lock = threading.RLock()

    def join(
        self,
        keys: Iterable[str],
        fetch: Callable[[Sequence[str]], Mapping[str, T | ServiceError]],
    ) -> dict[str, tuple[Flight[T], bool]]:
        """For each key the flight to wait for, and whether it was under way already.

        Keys without a flight are fetched together. Raises ``Overloaded`` when no further fetch may begin.
        """
        joined: dict[str, tuple[Flight[T], bool]] = {}
        fresh: dict[str, Flight[T]] = {}
        with self._lock:
            for key in keys:
                flight = self._by_key.get(key)
                if flight is None:
                    flight = fresh[key] = Flight(time.time())
                joined[key] = (flight, key not in fresh)
            if fresh:
                self._begin(fresh, fetch)
        return joined

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _begin(
        self, fresh: dict[str, Flight[T]], fetch: Callable[[Sequence[str]], Mapping[str, T | ServiceError]]
    ) -> None:
        if not self._slots.acquire(blocking=False):
            raise Overloaded("too many answers of the AI runtime are being waited for")
        self._by_key.update(fresh)
        try:
            self._pool.submit(self._fly, fresh, fetch)
        except RuntimeError as error:
            self._land(fresh)
            raise Overloaded("the service is shutting down") from error

    def _fly(
        self, fresh: dict[str, Flight[T]], fetch: Callable[[Sequence[str]], Mapping[str, T | ServiceError]]
    ) -> None:
        try:
            outcomes = fetch(tuple(fresh))
            landed = [(flight, outcomes[key]) for key, flight in fresh.items()]
        except Exception as error:  # noqa: BLE001 - whatever it is, it belongs to those who wait
            self._land(fresh)
            for flight in fresh.values():
                flight.landed.set_exception(error)
            return
        self._land(fresh)
        for flight, outcome in landed:
            flight.landed.set_result(outcome)

    def _land(self, fresh: Mapping[str, Flight[T]]) -> None:
        with self._lock:
            for key in fresh:
                self._by_key.pop(key, None)
        self._slots.release()
