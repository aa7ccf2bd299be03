"""The order of points: by series, step, timestamp, and then as in the runtime's answer."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from service.domain import points
from service.domain.merge_sort import ranks
from service.domain.series import instant_columns
from service.domain.series.columns import EXACT, Columns, Floats, Integers
from service.domain.series.instant_columns import NEVER

Keys = list[Floats | NDArray[np.signedinteger]]


class Order(NamedTuple):
    """``rows`` in order. Series ``n`` is there at ``bounds[n]`` to ``bounds[n + 1]``, its last point at ``last[n]``:
    the latest of the highest step. Points without a step or a timestamp come after those with one, and are the last
    point only where there is no other: a point that cannot be read must not hide one that can."""

    rows: Integers
    bounds: Integers
    last: Integers


def order(columns: Columns) -> Order:
    """The order of the points of at least one series. Timestamps are read only where steps do not decide."""
    keys: Keys = [columns.step, columns.series]
    if (np.abs(columns.step) >= EXACT).any():
        keys.insert(0, _ranks(columns))
    rows: Integers = np.lexsort(tuple(keys))
    moments = None
    if _repeats(columns, rows, keys).any():
        moments = instant_columns.read(columns.chunks)
        rows = np.lexsort((moments.fraction[columns.places], moments.seconds[columns.places], *keys))
    bounds = np.searchsorted(columns.series[rows], np.arange(len(columns.names) + 1))
    stepped = np.add.reduceat(~np.isnan(columns.step[rows]), bounds[:-1], dtype=np.int64)
    last = np.where(stepped > 0, bounds[:-1] + stepped, bounds[1:]) - 1
    if moments is not None:
        timed = moments.seconds[columns.places[rows]] != NEVER
        if not timed[last].all():
            last = _last_timed(last, timed, _repeats(columns, rows, keys))
    return Order(rows, bounds, last)


def _repeats(columns: Columns, rows: Integers, keys: Keys) -> NDArray[np.bool_]:
    """Whether each row, from the second on, is of the same series and step as the one before it."""
    alike = np.ones(len(rows) - 1, dtype=bool)
    for key in keys:
        ordered = key[rows]
        same = ordered[1:] == ordered[:-1]
        alike &= same | (np.isnan(ordered[1:]) & np.isnan(ordered[:-1])) if key is columns.step else same
    return alike


def _last_timed(last: Integers, timed: NDArray[np.bool_], repeats: NDArray[np.bool_]) -> Integers:
    """``last``, where a point without a timestamp is replaced by the last one of the same step that has one."""
    places = np.arange(len(timed))
    starts = np.maximum.accumulate(np.where(np.concatenate([[False], repeats]), 0, places))[last]
    counted = np.concatenate([[0], np.cumsum(timed)])
    having: Integers = counted[last + 1] - counted[starts]
    return np.where(having > 0, starts + having - 1, last)


def _ranks(columns: Columns) -> Integers:
    """Ranks of steps that are equal in double precision but differ.

    By sorting, not by hashing: numbers can be chosen so that all their hashes are equal.
    """
    rows = np.flatnonzero(np.abs(columns.step) >= EXACT)
    steps = [points.exact(bytes(point.step)) for point in columns.rows(rows)]
    found = np.zeros(len(columns.step), dtype=np.int64)
    found[rows] = ranks(steps)
    return found
