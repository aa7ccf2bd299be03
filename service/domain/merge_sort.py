"""Merge sort of Python objects in pieces, since one call of ``sort`` would hold the interpreter's lock until its
end."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.concurrency.time_limit import checkpoint

_STRETCH = 20_000
"""Objects sorted by one call, in some ten milliseconds."""
_NOTHING = object()


def places(keys: Sequence[Any]) -> Iterable[int]:
    """The positions of the keys in ascending order; equal keys keep their order."""
    stretches = []
    for start in range(0, len(keys), _STRETCH):
        checkpoint()
        stretches.append(sorted(range(start, min(start + _STRETCH, len(keys))), key=keys.__getitem__))
    if len(stretches) > 1:
        return heapq.merge(*stretches, key=keys.__getitem__)
    return stretches[0] if stretches else ()


def ranks(keys: Sequence[Any]) -> NDArray[np.int64]:
    """The rank of each key among the distinct keys."""
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
    """Like ``places``, for integers: by numpy, which sorts without that lock, where all fit 64 bits."""
    try:
        found: list[int] = np.argsort(np.array(keys, dtype=np.int64), kind="stable").tolist()
    except OverflowError:
        return places(keys)
    return found
