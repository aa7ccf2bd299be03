"""A bulkhead: places for fetches in two partitions, so that slow runs cannot take all of them.

Half of the places are *slow*: a fetch may take the whole time until its deadline. When they are taken, a key that is
not known to be slow may use the *fast* half: a fetch there ends after ``fast_seconds`` at the latest, and up to
``QUEUE`` others for each place wait for their turn. A key whose fetch took longer counts as slow for a while; where no
slow place is free it is refused at once. So many slow runs fill the slow half, each uses the fast half once at most,
and quick ones are still read.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from service.concurrency.bounded_map import BoundedMap
from service.concurrency.deadline import Deadline
from service.concurrency.thread_origin import carried
from service.domain.errors import Overloaded
from service.telemetry.prometheus import Telemetry

_log = logging.getLogger(__name__)
QUEUE = 3
SLOW_FOR = 60.0
"""Seconds for which a key counts as slow after a slow fetch."""
_MOST_SLOW = 10_000
_SECONDS = 1.0
_LONGEST_TURN = 3.0
"""Seconds that a fetch may wait for its turn in the fast half."""

T = TypeVar("T")


class Bulkhead:
    """Runs fetches, at most ``places`` at once. Thread-safe."""

    def __init__(
        self,
        places: int,
        *,
        fast_seconds: float = _SECONDS,
        telemetry: Telemetry,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.fast_seconds = fast_seconds
        self._telemetry = telemetry
        self._clock = clock
        fast_places = places // 2
        self._slow = _Partition("slow", places - fast_places, 0)
        self._fast = _Partition("fast", fast_places, QUEUE * fast_places)
        self._slow_until: BoundedMap[str, float] = BoundedMap(_MOST_SLOW)
        self._refusing = False
        self._lock = threading.Lock()

    def begin(self, keys: tuple[str, ...], deadline: Deadline, work: Callable[[Deadline], T]) -> Future[T]:
        """Begin ``work``, which must end by the deadline that is passed to it. Its place is free again by then.

        Raises ``Overloaded`` where there is no place.
        """
        if self._slow.take():
            self._say(refusing=False)
            return self._submit(self._slow, keys, deadline, work)
        if not self._known_slow(keys) and self._fast.take():
            return self._submit(self._fast, keys, deadline, work)
        self._say(refusing=True)
        raise Overloaded("too many requests to the AI runtime are in progress")

    def close(self) -> None:
        for partition in (self._slow, self._fast):
            partition.pool.shutdown(wait=False, cancel_futures=True)

    def _submit(
        self, partition: _Partition, keys: tuple[str, ...], deadline: Deadline, work: Callable[[Deadline], T]
    ) -> Future[T]:
        turn = Deadline.after(_LONGEST_TURN)
        try:
            return partition.pool.submit(self._run, partition, keys, deadline, turn, carried(work))
        except RuntimeError as error:
            partition.places.release()
            raise Overloaded("the service is shutting down") from error

    def _run(
        self,
        partition: _Partition,
        keys: tuple[str, ...],
        deadline: Deadline,
        turn: Deadline,
        work: Callable[[Deadline], T],
    ) -> T:
        self._telemetry.fetch_began(partition.name)
        began = self._clock()
        try:
            return work(self._granted(partition, deadline, turn))
        finally:
            self._note(keys, self._clock() - began)
            partition.places.release()
            self._telemetry.fetch_ended(partition.name)

    def _say(self, *, refusing: bool) -> None:
        """Log each change."""
        with self._lock:
            if refusing is self._refusing:
                return
            self._refusing = refusing
        level, state = (logging.WARNING, "refusing") if refusing else (logging.INFO, "accepting")
        _log.log(level, "fetches of slow runs: %s", state, extra={"event": "bulkhead", "state": state})

    def _granted(self, partition: _Partition, deadline: Deadline, turn: Deadline) -> Deadline:
        """The deadline of a fetch; expired where its turn came too late, so that its readers get an error at once."""
        if partition is self._slow:
            return deadline
        return turn if turn.expired else deadline.sooner(self.fast_seconds)

    def _known_slow(self, keys: Iterable[str]) -> bool:
        now = self._clock()
        return any((self._slow_until.get(key) or 0.0) > now for key in keys)

    def _note(self, keys: Iterable[str], seconds: float) -> None:
        for key in keys:
            if seconds >= self.fast_seconds:
                self._slow_until.keep(key, self._clock() + SLOW_FOR)
            else:
                self._slow_until.forget(key)


class _Partition:
    def __init__(self, name: str, threads: int, queue: int) -> None:
        self.name = name
        self.places = threading.Semaphore(threads + queue)
        self.pool = ThreadPoolExecutor(max(1, threads), thread_name_prefix=f"fetch-{name}")

    def take(self) -> bool:
        return self.places.acquire(blocking=False)
