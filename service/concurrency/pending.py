"""Results that are waited for after their work has begun."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Generic, TypeVar

from service.concurrency.deadline import Deadline

T = TypeVar("T")
U = TypeVar("U")


class Pending(Generic[T]):
    """Work in progress. ``wait`` waits for its result, up to a deadline."""

    __slots__ = ("_wait",)

    def __init__(self, wait: Callable[[Deadline], T]) -> None:
        self._wait = wait

    def outcome(self, until: Deadline) -> T:
        """Wait up to ``until``, without the thread's slot. What stands for work that is late is up to ``wait``.

        To be called once.
        """
        return self._wait(until)

    def map(self, change: Callable[[T], U]) -> Pending[U]:
        """The same work, whose result is changed on the thread that waits for it."""
        return Pending(partial(_changed, self._wait, change))


def _changed(wait: Callable[[Deadline], T], change: Callable[[T], U], until: Deadline) -> U:
    return change(wait(until))
