"""Chunks as numpy columns: one row a point, in the runtime's order."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from service.domain import points
from service.domain.metrics import Chunk
from service.domain.points import Measure, NameValue, Point

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
EXACT = 2.0**53
"""From here on a ``float`` no longer holds every integer."""


@dataclass(frozen=True, slots=True)
class Columns:
    """``series`` numbers the series of each row by first appearance; ``step`` and ``value`` are NaN where there is
    none.

    Both are rounded to double precision; ``rows`` gives the literals.
    """

    series: NDArray[np.int32]
    step: Floats
    value: Floats
    names: Sequence[tuple[bytes, bytes]]
    chunks: Sequence[Chunk]
    starts: Sequence[int]

    def rows(self, rows: Integers) -> Iterator[Point]:
        """The points of ``rows`` (ascending), as literals."""
        row, end = 0, len(rows)
        while row < end:
            number = bisect_right(self.starts, int(rows[row])) - 1
            after = int(np.searchsorted(rows, self.starts[number] + self.chunks[number].count))
            yield from points.points(self.chunks[number], (rows[row:after] - self.starts[number]).tolist())
            row = after


def read(chunks: Sequence[Chunk]) -> Columns:
    """All points of the chunks; at least one chunk."""
    numbering = _Numbering()
    series, steps, values = [], [], []
    for chunk in chunks:
        measures = points.measures(chunk)
        series.append(np.array(numbering.numbers(measures), dtype=np.int32))
        steps.append(_column([measure.step for measure in measures]))
        values.append(_column([measure.value for measure in measures]))
    starts = list(accumulate((chunk.count for chunk in chunks), initial=0))[:-1]
    return Columns(
        np.concatenate(series), np.concatenate(steps), np.concatenate(values), numbering.names, chunks, starts
    )


class _Numbering:
    """Numbers series by their first appearance; each spelling of a name and its labels is read once."""

    def __init__(self) -> None:
        self.names: list[tuple[bytes, bytes]] = []
        self._by_spelling: dict[tuple[bytes, bytes], int] = {}
        self._by_meaning: dict[tuple[str, frozenset[NameValue]], int] = {}

    def numbers(self, measures: Sequence[Measure]) -> list[int]:
        known = self._by_spelling
        numbers = []
        for measure in measures:
            spelling = (bytes(measure.name), bytes(measure.labels))
            number = known.get(spelling)
            numbers.append(self._add(spelling) if number is None else number)
        return numbers

    def _add(self, spelling: tuple[bytes, bytes]) -> int:
        name, labels = spelling
        meaning = (points.text(name), points.label_set(labels))
        number = self._by_meaning.setdefault(meaning, len(self.names))
        if number == len(self.names):
            self.names.append(spelling)
        self._by_spelling[spelling] = number
        return number


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
