"""Several calls at once, all ended or given up by one deadline."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, Generic, TypeVar

from service.concurrency.background import settle
from service.concurrency.blocking import waiting
from service.concurrency.deadline import Deadline
from service.concurrency.origin import carried

E = TypeVar("E", bound=Exception)


class FanOut(Generic[E]):
    """Calls on a pool of ``threads`` threads. A call may not itself fan out on the same pool.

    Errors of the type ``expected`` are results; ``late`` makes the one of a call that has not ended by its deadline.
    """

    def __init__(self, threads: int, expected: type[E], late: Callable[[], E]) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="fan-out")
        self._expected = expected
        self._late = late

    def gather(
        self, calls: Sequence[Callable[[], Any]], deadline: Deadline, *, at_once: int | None = None
    ) -> list[Any]:
        """What each call returned, or the expected error that it raised, or ``late()``, in the calls' order.

        Other errors are raised. With ``at_once``, that many calls are under way at most.
        """
        futures = [Future[Any]() for _ in calls]
        queue = iter(list(zip(futures, calls, strict=True)))
        for _ in range(len(calls) if at_once is None else min(at_once, len(calls))):
            self._pool.submit(carried(_work_off), queue)
        return [self._result(future, deadline) for future in futures]

    def _result(self, future: Future[Any], deadline: Deadline) -> Any:
        with waiting():
            wait((future,), timeout=deadline.remaining())
        if not future.done():
            future.cancel()
            return self._late()
        try:
            return future.result(timeout=0)
        except self._expected as error:
            return error

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)


def _work_off(queue: Iterator[tuple[Future[Any], Callable[[], Any]]]) -> None:
    """Make the calls of a queue that threads share: a list's iterator gives each item to one of them."""
    for future, call in queue:
        if future.set_running_or_notify_cancel():
            settle(future, call)
