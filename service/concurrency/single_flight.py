"""Work that several threads want at once, done once."""

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
    """A thread has waited as long as it may; the work goes on. A ``TimeoutError`` is always the work's own."""


class Flight(Generic[T]):
    """A piece of work, under way or done, that any number of threads may wait for.

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
    """Work by key, each piece done once for all who want it meanwhile. Safe from any thread.

    Nothing is remembered: whoever comes after the work has ended has it done anew.
    """

    def __init__(self) -> None:
        self._under_way: dict[Hashable, Flight[T]] = {}
        self._lock = threading.Lock()

    def do(self, key: Hashable, call: Callable[[], T], timeout: float) -> T:
        """What ``call`` returns, or the error that it raises, to all who want ``key`` meanwhile.

        The first of them calls; the others wait, each up to ``timeout`` seconds of its own, and then raise
        ``StillUnderWay``. ``call`` must not want ``key`` itself.
        """
        batch: Future[Mapping[Hashable, T]] = Future()
        flight, joined = self.join((key,), lambda _: batch)[key]
        if not joined:
            settle(batch, lambda: {key: call()})
        return flight.result(timeout)

    def join(
        self, keys: Iterable[K], begin: Callable[[tuple[K, ...]], Future[Mapping[K, T]]]
    ) -> dict[K, tuple[Flight[T], bool]]:
        """For each key its flight, and whether that was under way already.

        The keys without one are begun together: ``begin`` gives what will be the result of each. It returns at once;
        what it raises is raised here, and nothing has begun then.
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
        """The flight of ``key``, if one is under way."""
        return self._under_way.get(key)

    def forget(self, key: Hashable) -> None:
        """Who wants ``key`` from now on does not share what is under way."""
        with self._lock:
            self._under_way.pop(key, None)

    def _complete(self, flights: Mapping[K, Flight[T]], batch: Future[Mapping[K, T]]) -> None:
        """Give the results to those who wait. Flights are removed first, so that nobody joins one that ended."""
        with self._lock:
            for key, flight in flights.items():
                if self._under_way.get(key) is flight:
                    del self._under_way[key]
        try:
            results = batch.result(timeout=0)
            outcomes = {key: results[key] for key in flights}
        except BaseException as error:  # noqa: BLE001 - whatever it is, it belongs to those who wait
            for flight in flights.values():
                flight.outcome.set_exception(error)
        else:
            for key, flight in flights.items():
                flight.outcome.set_result(outcomes[key])


class Memo:
    """Results that are worked out once for all that share this, at whatever time they ask. Safe from any thread.

    An error is for those who wait for it; whoever asks later has it worked out anew.
    """

    def __init__(self) -> None:
        self._known: dict[Hashable, Any] = {}
        self._flights: SingleFlight[Any] = SingleFlight()

    def get(self, key: Hashable, call: Callable[[], T], timeout: float) -> T:
        """What ``call`` returned, or the error that it raised; see ``SingleFlight.do``."""

        def once() -> Any:
            if key not in self._known:
                self._known[key] = call()
            return self._known[key]

        result: T = self._known[key] if key in self._known else self._flights.do(key, once, timeout)
        return result
