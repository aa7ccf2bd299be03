"""Managed blocking: a waiting thread releases its slot.

A pool of request threads has a few slots for threads that work. A waiting thread needs none, so another request gets
its slot meanwhile. Waiting code declares so here and need not know the pool.

The service waits only within ``waiting`` (``tests/unit/concurrency/test_no_hidden_waits.py``).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class SlotOwner(Protocol):
    """The owner of a thread's slot."""

    def release_slot(self) -> None:
        """Release the slot. Raises ``domain.errors.Overloaded`` where too many threads wait already."""
        ...

    def reacquire_slot(self) -> None: ...


class _Thread(threading.local):
    owner: SlotOwner | None = None
    released = False


_thread = _Thread()


def set_slot_owner(owner: SlotOwner) -> None:
    """Set the owner of this thread's slot, who may give it to others while the thread waits."""
    _thread.owner = owner


@contextmanager
def waiting(*, briefly: bool = False) -> Iterator[None]:
    """The context of a wait of this thread; waits may be nested.

    Raises what the owner's ``release_slot`` raises, unless the wait is brief: then the thread keeps its slot.
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
    """Sleep without a slot."""
    with waiting():
        time.sleep(seconds)
