"""Fan-out: several calls at once, with one deadline."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial
from typing import Any, Generic, TypeVar

from service.concurrency.blocking import waiting
from service.concurrency.deadline import Deadline
from service.concurrency.pending import Pending
from service.concurrency.thread_origin import carried

E = TypeVar("E", bound=Exception)


class FanOut(Generic[E]):
    """Runs calls on a pool of ``threads`` threads. A call must not fan out on the same pool.

    Errors of the type ``expected`` are results; ``late`` makes the result of a call that misses the deadline.
    """

    def __init__(self, threads: int, expected: type[E], late: Callable[[], E]) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="fan-out")
        self._expected = expected
        self._late = late

    def gather(
        self, calls: Sequence[Callable[[], Any]], deadline: Deadline, *, at_once: int | None = None
    ) -> list[Any]:
        """The result of each call, or its expected error, or ``late()``, in the calls' order.

        Other errors are raised. With ``at_once``, at most that many calls run at once.
        """
        work = _Work(calls)
        most = len(calls) if at_once is None else min(at_once, len(calls))
        threads = [self._pool.submit(carried(work.do)) for _ in range(most)]
        with waiting():
            wait(threads, timeout=deadline.remaining())
        return [self._result(outcome) for outcome in work.end()]

    def begin(self, call: Callable[[], Any]) -> Pending[Any]:
        """Begin a call, whose result is what ``gather`` would return for it."""
        work = _Work([call])
        return Pending(partial(self._await, work, self._pool.submit(carried(work.do))))

    def _await(self, work: _Work, thread: Future[None], until: Deadline) -> Any:
        with waiting():
            wait([thread], timeout=until.remaining())
        return self._result(work.end()[0])

    def _result(self, outcome: _Outcome | None) -> Any:
        if outcome is None:
            return self._late()
        result, error = outcome
        if error is None or isinstance(error, self._expected):
            return result if error is None else error
        raise error

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)


_Outcome = tuple[Any, BaseException | None]


class _Work:
    """Calls that several threads take from one iterator."""

    def __init__(self, calls: Sequence[Callable[[], Any]]) -> None:
        self._queue = iter(list(enumerate(calls)))
        self._outcomes: list[_Outcome | None] = [None] * len(calls)
        self._is_over = False

    def do(self) -> None:
        """Make calls until none is left, or nobody waits for them. ``SystemExit`` and the like are raised as well."""
        for place, call in self._queue:
            if self._is_over:
                return
            try:
                self._outcomes[place] = call(), None
            except BaseException as error:
                self._outcomes[place] = None, error
                if not isinstance(error, Exception):
                    raise

    def end(self) -> list[_Outcome | None]:
        """Begin no further call; returns the outcome of each call, ``None`` for one that has not ended."""
        self._is_over = True
        return self._outcomes.copy()
