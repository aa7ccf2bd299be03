"""Several calls at once, all ended or given up by one deadline."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, Generic, TypeVar

from service.concurrency.background import settle
from service.concurrency.blocking import waiting
from service.concurrency.deadline import Deadline

T = TypeVar("T")
E = TypeVar("E", bound=Exception)


class Task(Generic[T, E]):
    """A call under way."""

    def __init__(self, future: Future[T], expected: type[E], late: Callable[[], E]) -> None:
        self._future = future
        self._expected = expected
        self._late = late

    def result(self, deadline: Deadline) -> T | E:
        """What the call returned, or the expected error that it raised, or ``late()``. Other errors are raised."""
        with waiting():
            wait((self._future,), timeout=deadline.remaining())
        if not self._future.done():
            self._future.cancel()
            return self._late()
        try:
            return self._future.result(timeout=0)
        except self._expected as error:
            return error


class FanOut(Generic[E]):
    """Calls on a pool of ``threads`` threads. A call may not itself fan out on the same pool.

    Errors of the type ``expected`` are results; ``late`` makes the one of a call that has not ended by its deadline.
    """

    def __init__(self, threads: int, expected: type[E], late: Callable[[], E]) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="fan-out")
        self._expected = expected
        self._late = late

    def begin(self, call: Callable[[], T]) -> Task[T, E]:
        return Task(self._pool.submit(call), self._expected, self._late)

    def gather(
        self, calls: Sequence[Callable[[], Any]], deadline: Deadline, *, at_once: int | None = None
    ) -> list[Any]:
        """The results in the calls' order, see ``Task.result``; with ``at_once``, that many are under way at most."""
        if at_once is None or len(calls) <= at_once:
            tasks = [self.begin(call) for call in calls]
        else:
            futures = [Future[Any]() for _ in calls]
            queue = iter(list(zip(futures, calls, strict=True)))
            for _ in range(at_once):
                self._pool.submit(_work_off, queue)
            tasks = [Task(future, self._expected, self._late) for future in futures]
        return [task.result(deadline) for task in tasks]

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)


def _work_off(queue: Iterator[tuple[Future[Any], Callable[[], Any]]]) -> None:
    """Make the calls of a queue that threads share: a list's iterator gives each item to one of them."""
    for future, call in queue:
        if future.set_running_or_notify_cancel():
            settle(future, call)
