"""Gaps: intervals without points that a line should not bridge."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from service.domain.series.columns import Floats, Integers
from service.domain.series.series import GAP

_LEAST = 3
"""The least number of distances: of two, neither can be that much longer than their median."""


class Gaps(NamedTuple):
    """Positions of the points ``before`` and ``after`` each gap, and the ``longest`` distance, 0 without a gap."""

    before: Integers
    after: Integers
    longest: float


def find(places: Floats) -> Gaps:
    """The gaps between points at ``places``, in the order in which a line joins them; NaN is no place.

    Distances of zero do not count.
    """
    known = np.flatnonzero(np.isfinite(places))
    distances = np.abs(np.diff(places[known]))
    positive = distances[distances > 0]
    if len(positive) < _LEAST:
        return Gaps(known[:0], known[:0], 0.0)
    over = np.flatnonzero(distances > GAP * np.median(positive))
    return Gaps(known[over], known[over + 1], float(distances[over].max(initial=0.0)))


def breaks(gaps: Gaps, shown: Integers) -> list[int]:
    """Which of the points ``shown`` (positions, ascending) have a gap before them."""
    found = np.unique(np.searchsorted(shown, gaps.after))
    within: list[int] = found[(found > 0) & (found < len(shown))].tolist()
    return within
