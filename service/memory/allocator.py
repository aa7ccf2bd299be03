"""How glibc's allocator keeps memory that was freed (``mallopt(3)``, ``malloc_trim(3)``)."""

from __future__ import annotations

import ctypes
from typing import Any

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
_LARGE = 2 * 1024 * 1024
_KEPT = 4 * 1024 * 1024
_ARENAS = 2


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


def _function(name: str) -> Any:
    """A function of the C library; ``None`` where it has none of that name."""
    try:
        return getattr(ctypes.CDLL(None), name)
    except (OSError, AttributeError):
        return None
