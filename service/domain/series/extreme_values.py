"""Extremes and mean of a series."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from service.domain import points
from service.domain.series.columns import Columns, Floats, Integers

ABSENT = -1
Booleans = NDArray[np.bool_]
Comparison = Callable[[Decimal, Decimal], bool]
_AT_ONCE = 4096
_SCALE = 2.0**64


def extremes(columns: Columns, order: Integers, starts: Integers) -> tuple[Integers, Integers]:
    """The positions in ``order`` of each series' first lowest and first highest value; -1 where all are NaN.

    ``starts``: where in ``order`` each series begins. Values are compared by all their digits; rounding keeps their
    order, so only those that are alike in double precision have to be.
    """
    values = columns.value[order]
    lengths = np.diff(starts, append=len(order))
    least = _Extreme(values == np.repeat(np.fmin.reduceat(values, starts), lengths), starts, operator.lt)
    greatest = _Extreme(values == np.repeat(np.fmax.reduceat(values, starts), lengths), starts, operator.gt)
    _compare(columns, order, starts, (least, greatest))
    return least.found, greatest.found


def mean(values: Floats) -> float | None:
    """The mean, rounded once. NaN is left out; ``None`` where there are no other values."""
    kept = values[~np.isnan(values)]
    if not len(kept):
        return None
    infinite = kept[np.isinf(kept)]
    if len(infinite):
        return float(infinite[0]) if (infinite == infinite[0]).all() else math.nan
    try:
        return _rounded_once(kept)
    except OverflowError:
        return _rounded_once(kept / _SCALE) * _SCALE


def _rounded_once(values: Floats) -> float:
    """The mean, from a sum of twice the digits of double precision where it has more than those."""
    total = math.fsum(_numbers(values))
    rest = math.fsum(chain(_numbers(values), [-total]))
    return float((Fraction(total) + Fraction(rest)) / len(values)) if rest else total / len(values)


def _numbers(values: Floats) -> Iterable[float]:
    """The values in slices, so that other threads can run in between."""
    return chain.from_iterable(values[start : start + _AT_ONCE].tolist() for start in range(0, len(values), _AT_ONCE))


class _Extreme:
    """The position of each series' extreme, ``found``: of the first of those that are it in double precision, until
    those that are ``doubtful``, several of a series, have been compared by all their digits."""

    def __init__(self, is_extreme: Booleans, starts: Integers, better: Comparison) -> None:
        candidates = np.flatnonzero(is_extreme)
        owners = np.searchsorted(starts, candidates, side="right") - 1
        self.found = np.full(len(starts), ABSENT)
        self.found[owners[::-1]] = candidates[::-1]
        self.doubtful = np.zeros(len(is_extreme), dtype=np.bool_)
        self.doubtful[candidates[np.bincount(owners, minlength=len(starts))[owners] > 1]] = True
        self._better = better
        self._best: dict[int, tuple[bytes, Decimal]] = {}

    def compare(self, owner: int, places: list[int], literals: list[bytes]) -> None:
        """Compare points of a series, at ascending ``places``."""
        first_places = dict(zip(reversed(literals), reversed(places), strict=True))
        for literal, place in first_places.items():
            known = self._best.get(owner)
            if known is not None and known[0] == literal:
                self.found[owner] = min(place, self.found[owner])
                continue
            value = points.exact(literal)
            if known is None or self._better(value, known[1]):
                self._best[owner], self.found[owner] = (literal, value), place
            elif value == known[1]:
                self.found[owner] = min(place, self.found[owner])


def _compare(columns: Columns, order: Integers, starts: Integers, extremes: Sequence[_Extreme]) -> None:
    """Compare the doubtful points of all series, chunk by chunk."""
    doubtful = np.flatnonzero(np.logical_or.reduce([extreme.doubtful for extreme in extremes]))
    doubtful = doubtful[np.argsort(order[doubtful], kind="stable")]
    read = 0
    for literals in columns.values(order[doubtful]):
        places = doubtful[read : read + len(literals)]
        read += len(literals)
        sorting = np.argsort(places)
        places = places[sorting]
        ordered = list(map(literals.__getitem__, sorting.tolist()))
        owners, begins = np.unique(np.searchsorted(starts, places, side="right") - 1, return_index=True)
        ends = [*begins[1:].tolist(), len(places)]
        for owner, begin, end in zip(owners.tolist(), begins.tolist(), ends, strict=True):
            some = ordered[begin:end]
            are_alike = len(set(some)) == 1
            for extreme in extremes:
                chosen = np.flatnonzero(extreme.doubtful[places[begin:end]])[: 1 if are_alike else None].tolist()
                if chosen:
                    extreme.compare(owner, places[begin:end][chosen].tolist(), list(map(some.__getitem__, chosen)))
