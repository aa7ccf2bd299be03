"""How glibc's allocator keeps memory that was freed (``mallopt(3)``, ``malloc_trim(3)``)."""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
_LARGE = 2 * 1024 * 1024
_KEPT = 4 * 1024 * 1024
_ARENAS = 2
_STATM = Path("/proc/self/statm")
_EVERY = 10.0
_GROWTH = 8 * 1024 * 1024


def configure_allocator() -> None:
    """Return freed blocks of 2 MiB and more to the system, and of smaller ones what exceeds some 4 MiB in each of two
    arenas.

    By default glibc allocates large blocks from its heap after the first one, and keeps their memory. Where it keeps
    nothing, the system has to clear each page of each read anew, which takes as long as a third of reading the points.
    With another C library nothing happens.
    """
    mallopt = _function("mallopt")
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, _LARGE)
        mallopt(_TRIM_THRESHOLD, _KEPT)
        mallopt(_ARENA_MAX, _ARENAS)


def return_freed() -> None:
    """Return all memory that was freed to the system, also what lies between blocks that are in use.

    It takes some milliseconds for each 50 MiB, so it is for what has just freed so much.
    """
    trim = _function("malloc_trim")
    if trim is not None:
        trim(0)


class FreedMemory:
    """Returns freed memory whenever the process has grown by 8 MiB since.

    Where caches are full, each answer that is kept takes the place of others somewhere between the freed blocks of
    reads, whose pages the allocator keeps: the process grows for hours though it uses no more.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._looked_at = clock()
        self._least = _resident()

    def look(self) -> None:
        """Return freed memory if there may be enough of it. Call it often: it does something once in ten seconds."""
        now = self._clock()
        if now - self._looked_at < _EVERY:
            return
        self._looked_at = now
        resident = _resident()
        if resident - self._least >= _GROWTH:
            return_freed()
            self._least = _resident()
        else:
            self._least = min(self._least, resident)


def _resident() -> int:
    """Bytes of this process in memory; 0 where the system does not tell (``proc_pid_statm(5)``)."""
    try:
        return int(_STATM.read_bytes().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def _function(name: str) -> Any:
    """A function of the C library; ``None`` where it has none of that name."""
    try:
        return getattr(ctypes.CDLL(None), name)
    except (OSError, AttributeError):
        return None
