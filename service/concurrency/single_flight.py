"""Work that several threads want at once, done once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Any, Generic, TypeVar

from service.concurrency.blocking import waiting

T = TypeVar("T")


class SingleFlight(Generic[T]):
    """Calls of one key that come together are made once. Safe from any thread.

    Nothing is remembered: whoever comes after the call has ended makes it anew.
    """

    def __init__(self) -> None:
        self._under_way: dict[Hashable, Future[T]] = {}
        self._lock = threading.Lock()

    def do(self, key: Hashable, call: Callable[[], T], timeout: float) -> T:
        """What ``call`` returns, or the error that it raises, to all who asked for ``key`` meanwhile.

        The first of them calls; the others wait without their places, each up to ``timeout`` seconds of its own, and
        then raise ``TimeoutError``. ``call`` must not ask for ``key`` itself.
        """
        with self._lock:
            flight = self._under_way.get(key)
            if flight is None:
                mine = self._under_way[key] = Future[T]()
        if flight is None:
            return self._fly(key, mine, call)
        with waiting():
            return flight.result(timeout)

    def _fly(self, key: Hashable, flight: Future[T], call: Callable[[], T]) -> T:
        try:
            result = call()
        except BaseException as error:
            self._land(key)
            flight.set_exception(error)
            raise
        self._land(key)
        flight.set_result(result)
        return result

    def _land(self, key: Hashable) -> None:
        """Before those who wait are told: who comes now finds what the call left behind, or calls anew."""
        with self._lock:
            del self._under_way[key]


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
