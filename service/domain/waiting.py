"""Waiting for something outside the process, told to whoever owns the thread that waits.

A pool of request threads has a few places for threads that work. A thread that waits for the runtime needs none, so it
lends its place to another request meanwhile. Whoever waits says so here and need not know of any pool.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Lender(Protocol):
    """Who owns a thread's place."""

    def lend(self) -> None:
        """Give the place away. Raises ``Overloaded`` where too many threads wait already."""
        ...

    def take_back(self) -> None: ...


class _Thread(threading.local):
    lender: Lender | None = None


_thread = _Thread()


def belongs_to(lender: Lender) -> None:
    """Have this thread's places lent by ``lender`` from now on."""
    _thread.lender = lender


@contextmanager
def waiting() -> Iterator[None]:
    """Within it, this thread waits. Raises ``Overloaded`` where too many threads do."""
    lender = _thread.lender
    if lender is None:
        yield
        return
    lender.lend()
    try:
        yield
    finally:
        lender.take_back()
