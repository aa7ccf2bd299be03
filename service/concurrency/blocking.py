"""Managed blocking: a thread that waits gives its slot back meanwhile.

A pool of request threads has a few places for threads that work. A thread that waits needs none, so its place goes to
another request meanwhile. Whoever waits says so here and need not know of any pool.

No other part of the service waits but within ``waiting`` (``tests/unit/concurrency/test_no_hidden_waits.py``).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class SlotOwner(Protocol):
    """Who owns a thread's place."""

    def release_slot(self) -> None:
        """Give the place away. Raises ``domain.errors.Overloaded`` where too many threads wait already."""
        ...

    def reacquire_slot(self) -> None: ...


class _Thread(threading.local):
    owner: SlotOwner | None = None
    released = False


_thread = _Thread()


def set_slot_owner(owner: SlotOwner) -> None:
    """Have ``owner`` give this thread's slot to others while it waits, from now on."""
    _thread.owner = owner


@contextmanager
def waiting(*, briefly: bool = False) -> Iterator[None]:
    """Within it, this thread waits; waits may be nested.

    Raises what the owner's ``release_slot`` raises, unless the wait is a brief one: that is then made with the place.
    """
    owner = _thread.owner
    if owner is None or _thread.released:
        yield
        return
    try:
        owner.release_slot()
    except Exception:
        if not briefly:
            raise
        yield
        return
    _thread.released = True
    try:
        yield
    finally:
        _thread.released = False
        owner.reacquire_slot()


def sleep(seconds: float) -> None:
    """Let time pass, without a place."""
    with waiting():
        time.sleep(seconds)
