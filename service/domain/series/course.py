"""The courses of series: which of their points a chart draws, in which order, with means and gaps."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from service.domain import points
from service.domain.series import downsampling, gaps, instant_columns, reasons, smoothing
from service.domain.series.columns import Columns, Floats, Integers
from service.domain.series.gaps import Gaps
from service.domain.series.instant_columns import NEVER
from service.domain.series.reasons import DRAWN, LARGEST, Reason, Reasons
from service.domain.series.series import Course, Projection
from service.domain.series.series_counter import Needs

_DAY = 86_400
_FIRST, _LAST = (
    int(np.datetime64(f"{end}", "s").astype(np.int64)) for end in ("0001-01-01T00:00:00", "9999-12-31T23:59:59")
)


class Courses:
    """Of all points, in the order of ``rows``: their places along the axis, and why they are not drawn."""

    def __init__(self, columns: Columns, rows: Integers, projection: Projection) -> None:
        self._projection = projection
        self._values = columns.value[rows]
        self._keys: tuple[Integers, ...] = ()
        """By what points are ordered along the axis, the last first; by nothing where they already are."""
        of_values = reasons.of_values(columns, rows, positive=projection.positive)
        along = self._steps if projection.along is Needs.STEP else self._instants
        self._places, on_axis = along(columns, rows)
        self._reasons = reasons.combined(on_axis, of_values)

    def course(self, start: int, end: int, at_most: int | None) -> tuple[Integers, Course]:
        """The points to be drawn of the series from ``start`` to ``end``, in their order along the axis."""
        along = start + np.flatnonzero(np.isfinite(self._places[start:end]))
        if self._keys:
            along = along[np.lexsort([key[along] for key in self._keys])]
        found = gaps.find(self._places[along])
        shown = self._shown(along, found, at_most)
        counts = np.bincount(self._reasons[start:end], minlength=len(Reason)).tolist()
        course = Course(self._means(along, shown), gaps.breaks(found, shown), found.longest, tuple(counts))
        return along[shown], course

    def _shown(self, along: Integers, found: Gaps, at_most: int | None) -> Integers:
        """The positions in ``along`` of the points to be drawn, sampled from those that can be."""
        drawable = np.flatnonzero(np.isin(self._reasons[along], DRAWN))
        if at_most is None or len(drawable) <= at_most:
            return drawable
        before = np.searchsorted(drawable, found.before, side="right") - 1
        after = np.searchsorted(drawable, found.after)
        beside = np.union1d(before[before >= 0], after[after < len(drawable)])
        values = self._drawn(along)[drawable]
        kept = [0, len(drawable) - 1]
        if not np.isnan(values).all():
            kept += [int(np.nanargmax(values)), int(np.nanargmin(values))]
        chosen: Integers = drawable[downsampling.choose(values, kept, at_most, beside)]
        return chosen

    def _drawn(self, along: Integers) -> Floats:
        """The values that are drawn; NaN where another axis might show them, or none."""
        return np.where(self._reasons[along] == Reason.NONE, self._values[along], np.nan)

    def _means(self, along: Integers, shown: Integers) -> list[float | None]:
        """The moving means at the points ``shown``, of all values that a linear axis can show; ``None`` where the axis
        cannot show the mean."""
        if not self._projection.smooth:
            return []
        values = self._values[along]
        found = smoothing.means(np.where(np.abs(values) < LARGEST, values, np.nan), self._projection.smooth)[shown]
        least = 0.0 if self._projection.positive else -math.inf
        return [mean if mean > least else None for mean in found.tolist()]

    def _steps(self, columns: Columns, rows: Integers) -> tuple[Floats, Reasons]:
        steps = columns.step[rows]
        places = np.where(np.abs(steps) < LARGEST, steps, np.nan)
        without = np.isnan(steps)
        timed = np.zeros(len(steps), dtype=np.bool_)
        at, written = _timestamps(columns, rows, np.flatnonzero(without))
        timed[at] = [timestamp != points.NULL for timestamp in written]
        return places, reasons.on_axis(places, ~without, timed)

    def _instants(self, columns: Columns, rows: Integers) -> tuple[Floats, Reasons]:
        moments, at = instant_columns.read(columns.chunks), columns.places[rows]
        seconds, fraction = moments.seconds[at], moments.fraction[at]
        self._keys = fraction, seconds
        places = instant_columns.seconds(instant_columns.Instants(seconds, fraction))
        known = seconds != NEVER
        places[_beyond(columns, rows, seconds, known)] = np.nan
        return places, reasons.on_axis(places, known, ~np.isnan(columns.step[rows]))


def _beyond(columns: Columns, rows: Integers, seconds: Integers, known: NDArray[np.bool_]) -> Integers:
    """Which instants are outside the years of UTC: they are written with an offset, and within a day of the ends."""
    near = np.flatnonzero(known & ((seconds < _FIRST + _DAY) | (seconds > _LAST - _DAY)))
    at, written = _timestamps(columns, rows, near)
    return at[np.array([not timestamp.endswith(b'Z"') for timestamp in written], dtype=np.bool_)]


def _timestamps(columns: Columns, rows: Integers, at: Integers) -> tuple[Integers, list[bytes]]:
    """``at`` in the order of ``rows``, and the timestamps there, as literals."""
    at = at[np.argsort(rows[at], kind="stable")]
    return at, [bytes(point.timestamp) for point in columns.rows(rows[at])]
