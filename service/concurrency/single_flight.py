"""Single flight: work that several threads want at the same time is done once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Iterable, Mapping
from concurrent.futures import Future, wait
from functools import partial
from typing import Any, Generic, TypeVar

from service.concurrency.background import settle
from service.concurrency.blocking import waiting

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


class StillUnderWay(Exception):
    """A thread's waiting time is over; the work continues. A ``TimeoutError`` is always raised by the work itself."""


class Flight(Generic[T]):
    """A piece of work, in progress or done, that any number of threads may wait for.

    ``began_at`` is in seconds since the epoch.
    """

    def __init__(self) -> None:
        self.began_at = time.time()
        self._began = time.monotonic()
        self.outcome: Future[T] = Future()

    @property
    def age(self) -> float:
        """Seconds since it began."""
        return time.monotonic() - self._began

    def wait(self, timeout: float) -> bool:
        """Wait up to ``timeout`` seconds, without the thread's slot; whether the work is done."""
        if not self.outcome.done():
            with waiting():
                wait((self.outcome,), timeout)
        return self.outcome.done()

    def result(self, timeout: float) -> T:
        """What the work returned, or the error that it raised. Raises ``StillUnderWay`` after ``timeout`` seconds."""
        if not self.wait(timeout):
            raise StillUnderWay
        return self.outcome.result(timeout=0)


class SingleFlight(Generic[T]):
    """Work by key, done once for all threads that ask for it meanwhile. Thread-safe.

    Results are not kept: after the work has ended, the next thread does it again.
    """

    def __init__(self) -> None:
        self._under_way: dict[Hashable, Flight[T]] = {}
        self._lock = threading.Lock()

    def do(self, key: Hashable, call: Callable[[], T], timeout: float) -> T:
        """The result of ``call``, or its error, for all threads that ask for ``key`` meanwhile.

        The first of them calls; the others wait, each up to its own ``timeout`` seconds, and then raise
        ``StillUnderWay``. ``call`` must not ask for ``key`` itself.
        """
        batch: Future[Mapping[Hashable, T]] = Future()
        flight, joined = self.join((key,), lambda _: batch)[key]
        if not joined:
            settle(batch, lambda: {key: call()})
        return flight.result(timeout)

    def join(
        self, keys: Iterable[K], begin: Callable[[tuple[K, ...]], Future[Mapping[K, T]]]
    ) -> dict[K, tuple[Flight[T], bool]]:
        """The flight of each key, and whether it was in progress already.

        The keys without one are begun together: ``begin`` returns a future of their results at once. Its errors are
        raised here, and nothing has begun then.
        """
        with self._lock:
            flights = {key: (flight, True) for key in keys if (flight := self._under_way.get(key))}
            fresh = {key: Flight[T]() for key in keys if key not in flights}
            if fresh:
                batch = begin(tuple(fresh))
                self._under_way.update(fresh.items())
        if fresh:
            batch.add_done_callback(partial(self._complete, fresh))
        return flights | {key: (flight, False) for key, flight in fresh.items()}

    def get(self, key: Hashable) -> Flight[T] | None:
        """The flight of ``key``, if one is in progress."""
        return self._under_way.get(key)

    def forget(self, key: Hashable) -> None:
        """Do not share the flight of ``key`` with later callers."""
        with self._lock:
            self._under_way.pop(key, None)

    def _complete(self, flights: Mapping[K, Flight[T]], batch: Future[Mapping[K, T]]) -> None:
        """Complete the flights. They are removed first, so that nobody joins one that has ended."""
        with self._lock:
            for key, flight in flights.items():
                if self._under_way.get(key) is flight:
                    del self._under_way[key]
        try:
            results = batch.result(timeout=0)
            outcomes = {key: results[key] for key in flights}
        except BaseException as error:  # noqa: BLE001 - raised in the waiting threads
            for flight in flights.values():
                flight.outcome.set_exception(error)
        else:
            for key, flight in flights.items():
                flight.outcome.set_result(outcomes[key])


class Memo:
    """Results that are worked out once and kept. Thread-safe.

    Errors are raised in the waiting threads and not kept: the next caller tries again.
    """

    def __init__(self) -> None:
        self._known: dict[Hashable, Any] = {}
        self._flights: SingleFlight[Any] = SingleFlight()

    def get(self, key: Hashable, call: Callable[[], T], timeout: float) -> T:
        """The kept result of ``call``, or its result or error now; see ``SingleFlight.do``."""

        def once() -> Any:
            if key not in self._known:
                self._known[key] = call()
            return self._known[key]

        result: T = self._known[key] if key in self._known else self._flights.do(key, once, timeout)
        return result
