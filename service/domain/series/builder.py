"""Chunks → series."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

import msgspec
import numpy as np

from service.domain.metrics import Chunk
from service.domain.series import columns, downsampling, extreme_values, ordering
from service.domain.series.columns import Columns, Floats, Integers
from service.domain.series.course import Courses
from service.domain.series.exact_sum import Total
from service.domain.series.series import NO_COURSE, Course, Projection, Series
from service.domain.series.series_counter import SeriesCounter


def series(
    chunks: Sequence[Chunk],
    at_most: int | None = None,
    names: Collection[str] = (),
    counter: SeriesCounter | None = None,
    projection: Projection | None = None,
) -> list[Series]:
    """The series of the chunks' points, of the metrics ``names`` or of all, by first appearance.

    A series of more than ``at_most`` (2 or more) points is downsampled: to its first and last point, its extremes, and
    of the others those that preserve its shape. The ``counter`` may raise where there are too many series. With a
    ``projection`` each series has a course, and of its points those that can be drawn, in the order along the axis;
    points on both sides of its gaps are kept.
    """
    if not chunks:
        return []
    return of_columns(columns.read(chunks, names, counter), at_most, projection)


def of_columns(read: Columns, at_most: int | None = None, projection: Projection | None = None) -> list[Series]:
    """The series of points in columns."""
    return _Progress(read, projection).series(at_most) if read.names else []


_AT_ONCE = 4096
_ENDS = 2
"""The number of points with which only the first and the last are kept."""


class _Progress:
    """All points in order; a *place* is a position there, and series ``n`` is at ``bounds[n]`` to ``bounds[n + 1]``."""

    def __init__(self, read: Columns, projection: Projection | None) -> None:
        self._columns = read
        self._order, self._bounds, self._last = ordering.order(read)
        self._values = read.value[self._order]
        self._least, self._greatest = extreme_values.extremes(read, self._order, self._bounds[:-1])
        self._courses = None if projection is None else Courses(read, self._order, projection)

    def series(self, at_most: int | None) -> list[Series]:
        """The series, each of ``at_most`` points."""
        found = [self._drawn(number, at_most) for number in range(len(self._columns.names))]
        shown = [chosen for chosen, _ in found]
        extremes = np.concatenate([self._least, self._greatest])
        needed = np.zeros(len(self._order), dtype=bool)
        needed[np.concatenate([*shown, self._bounds[:-1], self._last])] = True
        needed[extremes[extremes != extreme_values.ABSENT]] = True
        places = np.flatnonzero(needed)
        texts = self._texts(places)

        def at(found: Integers) -> list[bytes]:
            return [texts[index] for index in np.searchsorted(places, found).tolist()]

        def extreme(found: Integers) -> list[bytes | None]:
            there = found != extreme_values.ABSENT
            given = at(np.where(there, found, places[0]))
            return [text if known else None for text, known in zip(given, there.tolist(), strict=True)]

        given, ends = at(np.concatenate(shown)), np.cumsum([len(chosen) for chosen in shown]).tolist()
        ends_of = zip(at(self._bounds[:-1]), at(self._last), extreme(self._least), extreme(self._greatest), strict=True)
        return [
            self._one(number, course, given[end - len(chosen) : end], named)
            for number, ((chosen, course), end, named) in enumerate(zip(found, ends, ends_of, strict=True))
        ]

    def _one(
        self, number: int, course: Course, shown: list[bytes], named: tuple[bytes, bytes, bytes | None, bytes | None]
    ) -> Series:
        """The series with the points ``shown``; ``named`` are its first, last, lowest and highest."""
        first, last, least, greatest = named
        name, labels = self._columns.names[number]
        values = self._values[self._bounds[number] : self._bounds[number + 1]]
        return Series(
            name=name,
            labels=labels,
            count=len(values),
            first=first,
            last=last,
            min=least,
            max=greatest,
            mean=self._mean(number, values),
            points=tuple(shown),
            downsampled=len(shown) < (len(values) if course is NO_COURSE else course.drawable),
            course=course,
        )

    def _mean(self, number: int, values: Floats) -> bytes:
        """The mean of a series, as a JSON literal: of its decimals where double precision is too narrow for one."""
        if not self._has_overflown(number, values):
            return _literal(extreme_values.mean(values))
        rows = np.sort(self._order[self._bounds[number] : self._bounds[number + 1]][~np.isnan(values)])
        total = Total()
        for start in range(0, len(rows), _AT_ONCE):
            some = self._columns.rows(rows[start : start + _AT_ONCE])
            total.add_literals([bytes(point.value) for point in some])
        return total.mean()

    def _has_overflown(self, number: int, values: Floats) -> bool:
        """Whether a finite value of a series is infinite in double precision."""
        rows = self._order[self._bounds[number] : self._bounds[number + 1]]
        infinite = np.sort(rows[np.isinf(values)])
        return any(not bytes(point.value).startswith(b'"') for point in self._columns.rows(infinite))

    def _drawn(self, number: int, at_most: int | None) -> tuple[Integers, Course]:
        """The places of the points to show, and their course."""
        if self._courses is None:
            return self._shown(number, at_most), NO_COURSE
        return self._courses.course(int(self._bounds[number]), int(self._bounds[number + 1]), at_most)

    def _shown(self, number: int, at_most: int | None) -> Integers:
        start, end = self._bounds[number], self._bounds[number + 1]
        if at_most is None or end - start <= at_most:
            return np.arange(start, end)
        if at_most == _ENDS:
            last = self._last[number]
            return np.array([start, last] if start < last else [start])
        named = (start, self._last[number], self._greatest[number], self._least[number])
        kept = [int(place - start) for place in named if place != extreme_values.ABSENT]
        chosen: Integers = start + downsampling.choose(self._values[start:end], kept, at_most)
        return chosen

    def _texts(self, places: Integers) -> list[bytes]:
        """The points at ``places``, in the given order."""
        rows = self._order[places]
        ascending = np.argsort(rows, kind="stable")
        texts = [b""] * len(rows)
        for index, point in zip(ascending.tolist(), self._columns.rows(rows[ascending]), strict=True):
            texts[index] = b'{"step":%b,"timestamp":%b,"value":%b}' % (
                bytes(point.step),
                bytes(point.timestamp),
                bytes(point.value),
            )
        return texts


def _literal(number: float | None) -> bytes:
    if number is None or math.isfinite(number):
        return msgspec.json.encode(number)
    return b'"NaN"' if math.isnan(number) else b'"Infinity"' if number > 0 else b'"-Infinity"'
