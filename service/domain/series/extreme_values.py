"""Extremes and mean of a series."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable
from decimal import Decimal
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from service.domain import points
from service.domain.series.columns import EXACT, Columns, Floats, Integers

ABSENT = -1
Booleans = NDArray[np.bool_]
Comparison = Callable[[Decimal, Decimal], bool]
_AT_ONCE = 4096
_SCALE = 2.0**64


def extremes(columns: Columns, order: Integers, starts: Integers) -> tuple[Integers, Integers]:
    """The positions in ``order`` of each series' first lowest and first highest value; -1 where all are NaN.

    ``starts``: where in ``order`` each series begins. Integers beyond 2^53 and numbers out of range of ``float`` are
    compared exactly, others in double precision.
    """
    values = columns.value[order]
    lengths = np.diff(starts, append=len(order))
    least = np.repeat(np.fmin.reduceat(values, starts), lengths)
    greatest = np.repeat(np.fmax.reduceat(values, starts), lengths)
    return (
        _first(columns, order, starts, values == least, operator.lt),
        _first(columns, order, starts, values == greatest, operator.gt),
    )


def mean(values: Floats, overflown: Callable[[], bool]) -> float | None:
    """The mean, from a sum rounded once. NaN is left out; ``None`` where there are no other values, and where an
    infinity is a finite number that has ``overflown``."""
    kept = values[~np.isnan(values)]
    if not len(kept):
        return None
    infinite = kept[np.isinf(kept)]
    if len(infinite):
        if overflown():
            return None
        return float(infinite[0]) if (infinite == infinite[0]).all() else math.nan
    try:
        return math.fsum(_numbers(kept)) / len(kept)
    except OverflowError:
        return math.fsum(_numbers(kept / _SCALE)) / len(kept) * _SCALE


def _numbers(values: Floats) -> Iterable[float]:
    """The values in slices, so that other threads can run in between."""
    return chain.from_iterable(values[start : start + _AT_ONCE].tolist() for start in range(0, len(values), _AT_ONCE))


def _first(columns: Columns, order: Integers, starts: Integers, extreme: Booleans, better: Comparison) -> Integers:
    candidates = np.flatnonzero(extreme)
    owners = np.searchsorted(starts, candidates, side="right") - 1
    found = np.full(len(starts), ABSENT)
    found[owners[::-1]] = candidates[::-1]
    rounded = np.abs(columns.value[order[candidates]]) >= EXACT
    best: dict[int, Decimal] = {}
    for place, owner, value in zip(
        candidates[rounded].tolist(),
        owners[rounded].tolist(),
        _exactly(columns, order[candidates[rounded]]),
        strict=True,
    ):
        if owner not in best or better(value, best[owner]):
            best[owner], found[owner] = value, place
    return found


def _exactly(columns: Columns, rows: Integers) -> list[Decimal]:
    ascending = np.argsort(rows, kind="stable")
    values = dict(zip(ascending.tolist(), columns.rows(rows[ascending]), strict=True))
    return [points.exact(bytes(values[index].value)) for index in range(len(rows))]
