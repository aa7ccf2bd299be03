"""Has the C library give memory back that large answers needed for a moment (glibc; elsewhere nothing happens)."""

from __future__ import annotations

import ctypes

_MMAP_THRESHOLD, _ARENA_MAX = -3, -8
"""``mallopt(3)``."""
_LARGE = 1024 * 1024
_ARENAS = 2


def give_back() -> None:
    """From now on, blocks of 1 MiB and more go back to the system when they are freed, and arenas are few.

    Left alone, glibc keeps what it once had: after the first large block it takes such blocks from its heap.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return
    mallopt(_MMAP_THRESHOLD, _LARGE)
    mallopt(_ARENA_MAX, _ARENAS)
