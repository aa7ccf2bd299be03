"""Work on background threads."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from service.concurrency.thread_origin import carried

T = TypeVar("T")


def in_background(call: Callable[[], T], name: str) -> Future[T]:
    """Run ``call`` on a daemon thread. Raises ``RuntimeError`` where no thread can be started."""
    future: Future[T] = Future()
    threading.Thread(target=settle, args=(future, carried(call)), name=name, daemon=True).start()
    return future


def settle(future: Future[T], call: Callable[[], T]) -> None:
    """Run ``call`` and set the result or error of ``future``. ``SystemExit`` and the like are raised as well."""
    try:
        result = call()
    except BaseException as error:
        future.set_exception(error)
        if not isinstance(error, Exception):
            raise
    else:
        future.set_result(result)
