"""Why points are not drawn at their values: each point of a chart counts once."""

from __future__ import annotations

import re
from enum import IntEnum
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from service.domain import points
from service.domain.series.columns import Columns, Floats, Integers

LARGEST = 2.0**1023
"""Greater numbers cannot be shown: the difference of two of them may overflow a ``float``."""
_NOT_ZERO = re.compile(rb"[0.]*[1-9]")


class Reason(IntEnum):
    """Why a chart does not draw a point at its value; ``NONE``: it does.

    Points ``NOT_FINITE`` and ``TOO_LARGE`` are crosses at the edge of the axis. ``TOO_SMALL`` are positive, but 0 in
    double precision, which a logarithmic axis cannot show. Of points ``UNPLACED`` on the other axis, those
    ``ELSEWHERE`` have a place on the alternative one; no axis reaches those ``BEYOND``.
    """

    NONE = 0
    NOT_FINITE = 1
    TOO_LARGE = 2
    NOT_POSITIVE = 3
    TOO_SMALL = 4
    WITHOUT_VALUE = 5
    UNPLACED = 6
    ELSEWHERE = 7
    BEYOND = 8


DRAWN = (Reason.NONE, Reason.NOT_FINITE, Reason.TOO_LARGE)
"""The reasons of points that are drawn, though perhaps not at their values."""
Reasons = NDArray[np.int8]


def of_value(literal: bytes, *, positive: bool) -> Reason:
    """The reason of a value on an axis, which can show only ``positive`` values if it is logarithmic."""
    if literal == points.NULL:
        return Reason.WITHOUT_VALUE
    if literal.startswith(b'"'):
        return Reason.NOT_FINITE
    number = float(literal)
    if positive and number <= 0:
        return Reason.TOO_SMALL if _NOT_ZERO.match(literal) else Reason.NOT_POSITIVE
    return Reason.NONE if abs(number) < LARGEST else Reason.TOO_LARGE


def of_values(columns: Columns, rows: Integers, *, positive: bool) -> Reasons:
    """The reasons of the values of ``rows``. Literals are read only of those that double precision does not tell."""
    values = columns.value[rows]
    found = np.where(np.abs(values) < LARGEST, Reason.NONE, Reason.TOO_LARGE).astype(np.int8)
    doubtful = ~np.isfinite(values)
    if positive:
        found[values < 0] = Reason.NOT_POSITIVE
        doubtful |= values == 0
    at = np.flatnonzero(doubtful)
    at = at[np.argsort(rows[at], kind="stable")]
    literals = list(chain.from_iterable(columns.values(rows[at])))
    known = {literal: int(of_value(literal, positive=positive)) for literal in {*literals}}
    found[at] = list(map(known.__getitem__, literals))
    return found


def combined(on_axis: Reasons, of_values: Reasons) -> Reasons:
    """The first reason of each point: that it has no value, no place on the axis, or none for its value."""
    both: Reasons = np.where((on_axis == Reason.NONE) | (of_values == Reason.WITHOUT_VALUE), of_values, on_axis)
    return both


def on_axis(places: Floats, known: NDArray[np.bool_], elsewhere: NDArray[np.bool_]) -> Reasons:
    """The reasons of points with ``places`` on the axis, NaN for none; those ``known`` would have one further out."""
    unplaced = np.where(elsewhere, Reason.ELSEWHERE, Reason.UNPLACED)
    return np.where(np.isfinite(places), Reason.NONE, np.where(known, Reason.BEYOND, unplaced)).astype(np.int8)
