"""The order of what compares as Python's objects: sorted in stretches, which are then merged.

One sort of all would keep the interpreter's lock for as long as it takes.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.concurrency.time_limit import checkpoint

_STRETCH = 20_000
"""Objects that are sorted at once, in some ten milliseconds."""
_NOTHING = object()


def places(keys: Sequence[Any]) -> Iterable[int]:
    """Where the keys are, from the least to the greatest; of equal ones the first comes first."""
    stretches = []
    for start in range(0, len(keys), _STRETCH):
        checkpoint()
        stretches.append(sorted(range(start, min(start + _STRETCH, len(keys))), key=keys.__getitem__))
    if len(stretches) > 1:
        return heapq.merge(*stretches, key=keys.__getitem__)
    return stretches[0] if stretches else ()


def ranks(keys: Sequence[Any]) -> NDArray[np.int64]:
    """The place of each key among those that differ."""
    found = np.zeros(len(keys), dtype=np.int64)
    rank = -1
    before: Any = _NOTHING
    for number, place in enumerate(places(keys)):
        if not number % _STRETCH:
            checkpoint()
        key = keys[place]
        if before is _NOTHING or key != before:
            rank, before = rank + 1, key
        found[place] = rank
    return found


def places_of_integers(keys: Sequence[int]) -> Iterable[int]:
    """The same as ``places``: by numpy, which sorts without that lock, where all are of 64 bits."""
    try:
        found: list[int] = np.argsort(np.array(keys, dtype=np.int64), kind="stable").tolist()
    except OverflowError:
        return places(keys)
    return found
