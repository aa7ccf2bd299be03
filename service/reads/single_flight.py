"""Fetches under way in this process: readers of the same thing share one.

A flight serves one or several keys. Its work runs in a partition (``bulkhead``), so a slow runtime holds a bounded
number of threads, and a reader may stop waiting, at its own deadline, without ending the flight for the others.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from service.concurrency.deadline import Deadline
from service.domain.errors import Overloaded, RuntimeTimeout, ServiceError
from service.reads.bulkhead import Bulkhead

T = TypeVar("T")
Fetch = Callable[[Sequence[str], Deadline], Mapping[str, T | ServiceError]]


@dataclass(frozen=True, slots=True)
class Flight(Generic[T]):
    """One key's part of a fetch under way. ``began_at`` is in seconds since the epoch."""

    began_at: float
    landed: Future[T | ServiceError] = field(default_factory=Future)


class Flights(Generic[T]):
    """All flights of this process, by key."""

    def __init__(self, bulkhead: Bulkhead) -> None:
        self._bulkhead = bulkhead
        self._by_key: dict[str, Flight[T]] = {}
        self._lock = threading.RLock()

    def join(self, keys: Iterable[str], fetch: Fetch[T], deadline: Deadline) -> dict[str, tuple[Flight[T], bool]]:
        """For each key the flight to wait for, and whether it was under way already.

        Keys without a flight are fetched together, by ``deadline`` or sooner. Raises ``Overloaded`` when no further
        fetch may begin.
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
                self._by_key.update(fresh)
                self._begin(fresh, fetch, deadline)
        return joined

    def close(self) -> None:
        """Begin none any more."""
        self._bulkhead.close()

    def _begin(self, fresh: dict[str, Flight[T]], fetch: Fetch[T], deadline: Deadline) -> None:
        try:
            self._bulkhead.begin(fresh, deadline, lambda granted: self._fly(fresh, fetch, granted, deadline))
        except Overloaded:
            self._forget(fresh)
            raise

    def _fly(
        self, fresh: dict[str, Flight[T]], fetch: Fetch[T], granted: Deadline, deadline: Deadline
    ) -> Callable[[], None]:
        try:
            outcomes = dict.fromkeys(fresh, RuntimeTimeout()) if granted.expired else fetch(tuple(fresh), granted)
            landed = {key: _told(outcomes[key], granted, deadline) for key in fresh}
        except Exception as error:  # noqa: BLE001 - whatever it is, it belongs to those who wait
            failure = error
            return lambda: self._land(fresh, lambda key: fresh[key].landed.set_exception(failure))
        return lambda: self._land(fresh, lambda key: fresh[key].landed.set_result(landed[key]))

    def _land(self, fresh: Mapping[str, Flight[T]], tell: Callable[[str], None]) -> None:
        self._forget(fresh)
        for key in fresh:
            tell(key)

    def _forget(self, fresh: Mapping[str, Flight[T]]) -> None:
        with self._lock:
            for key in fresh:
                self._by_key.pop(key, None)


def _told(outcome: T | ServiceError, granted: Deadline, deadline: Deadline) -> T | ServiceError:
    """What ran out of less time than it was to have ended for lack of a slow place, not by the runtime's fault."""
    if isinstance(outcome, RuntimeTimeout) and granted.at < deadline.at:
        return Overloaded("many answers of the AI runtime are slow, and this one would be waited for too long")
    return outcome
