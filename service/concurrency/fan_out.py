"""Several questions to a runtime at once, all answered or given up by one deadline."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, Generic, TypeVar

from service.concurrency.blocking import waiting
from service.concurrency.deadline import Deadline
from service.domain.errors import RuntimeTimeout, ServiceError

T = TypeVar("T")


class Question(Generic[T]):
    """A question under way."""

    def __init__(self, future: Future[T]) -> None:
        self._future = future

    def answer(self, deadline: Deadline) -> T | ServiceError:
        """The answer, or the ``ServiceError`` raised for it; ``RuntimeTimeout`` at the deadline. Others are raised."""
        with waiting():
            wait((self._future,), timeout=deadline.remaining())
        if not self._future.done():
            self._future.cancel()
            return RuntimeTimeout()
        try:
            return self._future.result(timeout=0)
        except ServiceError as error:
            return error


class SideBySide:
    """Asks on a pool of ``threads`` threads. A question may not itself ask side by side."""

    def __init__(self, threads: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="ask")

    def begin(self, question: Callable[[], T]) -> Question[T]:
        return Question(self._pool.submit(question))

    def ask(self, questions: Sequence[Callable[[], Any]], deadline: Deadline) -> list[Any]:
        """The answers in the questions' order, see ``Question.answer``."""
        asked = [self.begin(question) for question in questions]
        return [question.answer(deadline) for question in asked]

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
