"""When a worker collects garbage.

A full collection of Python's looks at every object that may be part of a cycle, with the interpreter's lock held: a
fifth of a second where a large answer is being made, which everybody else waits for. By default one comes whenever
there are a quarter more objects, so that large answers bring several. Nearly all garbage is freed without it.
"""

from __future__ import annotations

import gc

_MOST = 200
"""Collections of young objects after which a full one comes in any case: 1.4 million further objects."""
_WORTH = 10
"""Collections of young objects from which on a full one is worth its time."""


def put_off_full_collections() -> None:
    """Leave out of collections all that there is, which takes them 40 ms, and have full ones come by ``collect``."""
    gc.collect()
    gc.freeze()
    young, middle, _ = gc.get_threshold()
    gc.set_threshold(young, middle, _MOST)


def collect() -> None:
    """A full collection, where there may be garbage that needs one; for when nothing else is being done."""
    if gc.get_count()[2] >= _WORTH:
        gc.collect()
