"""Tasks on threads of their own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

Result = TypeVar("Result")
_PATIENCE = 60.0
"""Seconds after which a task counts as hanging."""


def together(*tasks: Callable[[], Result]) -> list[Result]:
    """The results of the tasks, in their order; all start at the same moment, each on a thread of its own.

    An error of a task is raised here, once the tasks before it have ended.
    """
    start = threading.Barrier(len(tasks))
    results: list[Future[Result]] = [Future() for _ in tasks]

    def run(task: Callable[[], Result], result: Future[Result]) -> None:
        try:
            start.wait(_PATIENCE)
            result.set_result(task())
        except BaseException as error:  # noqa: BLE001 - it is raised where the result is read
            result.set_exception(error)

    for each in zip(tasks, results, strict=True):
        threading.Thread(target=run, args=each, daemon=True).start()
    return [result.result(_PATIENCE) for result in results]
