"""When a worker collects garbage.

A full collection of Python's looks at every object that may be part of a cycle, with the interpreter's lock held: a
fifth of a second while a large answer is being made, and everybody else waits for it. By default one is made whenever
there are a quarter more objects, so that a large answer causes several. Nearly all garbage is freed without it.
"""

from __future__ import annotations

import gc

_MOST = 200
"""Collections of the middle generation after which a full one is made in any case: 1.4 million further objects."""
_WORTH = 10
"""Collections of the middle generation from which on a full one is worth its time: Python's default."""


def put_off_full_collections() -> None:
    """Exempt all existing objects, which a full collection would take 40 ms to look at, and leave full collections to
    ``collect``."""
    gc.collect()
    gc.freeze()
    young, middle, _ = gc.get_threshold()
    gc.set_threshold(young, middle, _MOST)


def collect() -> None:
    """Make a full collection if there may be garbage that needs one. Call it when no request is under way."""
    if gc.get_count()[2] >= _WORTH:
        gc.collect()
