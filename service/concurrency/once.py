"""Questions that are asked once, whoever wants the answer."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Any, TypeVar

from service.concurrency.blocking import waiting
from service.concurrency.deadline import Deadline
from service.domain.errors import RuntimeTimeout

T = TypeVar("T")


class Once:
    """Answers each question once for all that share this, at whatever time they ask. Safe from any thread.

    An error is for those who wait for it; whoever asks later asks anew.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answers: dict[Hashable, Future[Any]] = {}

    def answer(self, question: Hashable, ask: Callable[[], T], deadline: Deadline) -> T:
        """What ``ask`` answered, or the error that it raised; ``RuntimeTimeout`` where another's has not by then."""
        with self._lock:
            answer: Future[T] | None = self._answers.get(question)
            if answer is None:
                mine = self._answers[question] = Future[T]()
        if answer is None:
            return self._made(question, mine, ask)
        try:
            with waiting():
                return answer.result(deadline.remaining())
        except TimeoutError:
            raise RuntimeTimeout from None

    def _made(self, question: Hashable, answer: Future[T], ask: Callable[[], T]) -> T:
        try:
            made = ask()
        except BaseException as error:
            with self._lock:
                del self._answers[question]
            answer.set_exception(error)
            raise
        answer.set_result(made)
        return made
