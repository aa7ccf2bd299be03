"""Chunks as numpy columns: a row for each selected point, in the runtime's order."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import cache
from itertools import accumulate, repeat

import msgspec
import numpy as np
from numpy.typing import NDArray

from service.domain import points
from service.domain.metrics import Chunk
from service.domain.points import Measure, Point
from service.domain.series.series_counter import Needs, SeriesCounter

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
EXACT = 2.0**53
"""The first integer beyond which a ``float`` does not hold every integer."""
_AT_ONCE = 1024
_UNWANTED = -1


class Columns(msgspec.Struct, frozen=True):
    """``series`` numbers the series of each row by first appearance; ``step`` and ``value`` are NaN where there is
    none.

    Both are rounded to double precision; ``rows`` returns the literals. ``places`` has the position of each row's point
    among all points of the chunks.
    """

    series: NDArray[np.int32]
    step: Floats
    value: Floats
    places: Integers
    names: Sequence[tuple[bytes, bytes]]
    chunks: Sequence[Chunk]
    starts: Sequence[int]

    def rows(self, rows: Integers) -> Iterator[Point]:
        """The points of ``rows`` (ascending), as literals."""
        for chunk, positions in self._by_chunk(rows):
            yield from points.points(chunk, positions)

    def values(self, rows: Integers) -> Iterator[list[bytes]]:
        """The literals of the values of ``rows`` (ascending), a list for each chunk that has some of them."""
        for chunk, positions in self._by_chunk(rows):
            yield points.values(chunk, positions)

    def _by_chunk(self, rows: Integers) -> Iterator[tuple[Chunk, list[int]]]:
        places = self.places[rows]
        row, end = 0, len(places)
        while row < end:
            number = bisect_right(self.starts, int(places[row])) - 1
            after = int(np.searchsorted(places, self.starts[number] + self.chunks[number].count))
            yield self.chunks[number], (places[row:after] - self.starts[number]).tolist()
            row = after


def read(chunks: Sequence[Chunk], wanted: Collection[str] = (), counter: SeriesCounter | None = None) -> Columns:
    """The points of the metrics ``wanted``, or of all, of at least one chunk. Raises what the ``counter`` does."""
    numbering = _Numbering(frozenset(wanted))
    starts = list(accumulate((chunk.count for chunk in chunks), initial=0))[:-1]
    series, steps, values, places = [], [], [], []
    for start, chunk in zip(starts, chunks, strict=True):
        measures = points.measures(chunk)
        timestamps = cache(lambda chunk=chunk: points.timestamps(chunk))
        for first in range(0, len(measures), _AT_ONCE):
            part = measures[first : first + _AT_ONCE]
            numbers, step = numbering.numbers(part), _column([measure.step for measure in part])
            if counter is not None:
                counter.add(numbers, _having(counter.needs, step, timestamps, first), numbering.names)
            number = np.array(numbers, dtype=np.int32)
            kept = np.flatnonzero(number != _UNWANTED)
            series.append(number[kept])
            steps.append(step[kept])
            values.append(_column([measure.value for measure in part])[kept])
            places.append(start + first + kept)
    return Columns(
        np.concatenate(series),
        np.concatenate(steps),
        np.concatenate(values),
        np.concatenate(places),
        numbering.names,
        chunks,
        starts,
    )


def _having(
    needs: Needs, step: Floats, timestamps: Callable[[], list[bytes]], first: int
) -> Callable[[], Iterator[bool]]:
    """Whether each point from ``first`` on has the member that the counter needs."""
    match needs:
        case Needs.STEP:
            return lambda: iter(np.isfinite(step).tolist())
        case Needs.TIMESTAMP:
            return lambda: (timestamp != points.NULL for timestamp in timestamps()[first : first + len(step)])
        case Needs.NOTHING:
            return lambda: repeat(True)


class _Numbering:
    """Numbers series by first appearance; each distinct literal of name and labels is read once."""

    def __init__(self, wanted: Collection[str]) -> None:
        self.names: list[tuple[bytes, bytes]] = []
        self._wanted = wanted
        self._is_wanted: dict[bytes, bool] = {}
        self._by_spelling: dict[tuple[bytes, bytes], int] = {}
        self._by_meaning: dict[str, int] = {}

    def numbers(self, measures: Sequence[Measure]) -> list[int]:
        known = self._by_spelling
        numbers: list[int] = []
        previous, number = None, _UNWANTED
        for measure in measures:
            # mostly the series of the point before: comparing costs a tenth of looking it up
            if previous is None or measure.labels != previous.labels or measure.name != previous.name:
                spelling = (bytes(measure.name), bytes(measure.labels))
                found = known.get(spelling)
                number = self._add(spelling) if found is None else found
            numbers.append(number)
            previous = measure
        return numbers

    def _add(self, spelling: tuple[bytes, bytes]) -> int:
        name, labels = spelling
        if self._wanted and not self._wants(name):
            return self._by_spelling.setdefault(spelling, _UNWANTED)
        meaning = repr((points.text(name), sorted({(label.name, label.value) for label in points.labels(labels)})))
        number = self._by_meaning.setdefault(meaning, len(self.names))
        if number == len(self.names):
            self.names.append(spelling)
        self._by_spelling[spelling] = number
        return number

    def _wants(self, name: bytes) -> bool:
        known = self._is_wanted.get(name)
        if known is None:
            known = self._is_wanted[name] = points.text(name) in self._wanted
        return known


def _column(numbers: Sequence[float | str | None]) -> Floats:
    try:
        return np.array(numbers, dtype=np.float64)
    except OverflowError:
        return np.array([_rounded(number) for number in numbers], dtype=np.float64)


def _rounded(number: float | str | None) -> float:
    try:
        return float("nan" if number is None else number)
    except OverflowError:
        return float("inf") if isinstance(number, int) and number > 0 else float("-inf")
