"""A limit on a thread's working time: set by its caller, checked by long loops."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class TookTooLong(Exception):
    """The time limit is over."""


class _Thread(threading.local):
    ends: float | None = None


_thread = _Thread()


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """A context in which ``checkpoint`` raises once ``seconds`` are over; an earlier outer limit still applies."""
    before = _thread.ends
    ends = time.monotonic() + seconds
    _thread.ends = ends if before is None else min(before, ends)
    try:
        yield
    finally:
        _thread.ends = before


def checkpoint() -> None:
    """Raise ``TookTooLong`` where this thread's time is over. Takes less than a microsecond."""
    ends = _thread.ends
    if ends is not None and time.monotonic() >= ends:
        raise TookTooLong
