"""Chunks → series."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from service.domain.metrics import Chunk
from service.domain.series import columns, ordering, summaries
from service.domain.series.census import Census
from service.domain.series.columns import Columns, Integers
from service.domain.series.model import Series


def series(
    chunks: Sequence[Chunk], at_most: int | None = None, names: Collection[str] = (), census: Census | None = None
) -> list[Series]:
    """The series of the chunks' points, of metrics called one of ``names`` or of all, by their first appearance.

    A series of more than ``at_most`` (2 or more) points is downsampled: its first and last point, its extremes, and of
    the others those that make its picture. The ``census`` counts them first, and ends it where they are too many.
    """
    if not chunks:
        return []
    return of_columns(columns.read(chunks, names, census), at_most)


def of_columns(read: Columns, at_most: int | None = None) -> list[Series]:
    """The series of points that are read already."""
    return _Progress(read).series(at_most) if read.names else []


_ENDS = 2
"""Room for the first and the last point only."""


class _Progress:
    """All points in order; a *place* is a position in it, and series ``n`` is at ``bounds[n]`` to ``bounds[n + 1]``."""

    def __init__(self, read: Columns) -> None:
        self._columns = read
        self._order = ordering.order(read)
        self._bounds = np.searchsorted(read.series[self._order], np.arange(len(read.names) + 1))
        self._values = read.value[self._order]
        self._least, self._greatest = summaries.extremes(read, self._order, self._bounds[:-1])

    def series(self, at_most: int | None) -> list[Series]:
        """The series, each of ``at_most`` points."""
        shown = [self._shown(number, at_most) for number in range(len(self._columns.names))]
        extremes = np.concatenate([self._least, self._greatest])
        needed = np.zeros(len(self._order), dtype=bool)
        needed[np.concatenate(shown)] = True
        needed[extremes[extremes != summaries.ABSENT]] = True
        places = np.flatnonzero(needed)
        texts = self._texts(places)
        return [
            self._one(number, [texts[index] for index in np.searchsorted(places, chosen).tolist()], places, texts)
            for number, chosen in enumerate(shown)
        ]

    def _one(self, number: int, shown: list[bytes], places: Integers, texts: list[bytes]) -> Series:
        def text(place: Integers) -> bytes | None:
            return None if place == summaries.ABSENT else texts[np.searchsorted(places, place)]

        name, labels = self._columns.names[number]
        values = self._values[self._bounds[number] : self._bounds[number + 1]]
        return Series(
            name=name,
            labels=labels,
            count=len(values),
            first=shown[0],
            last=shown[-1],
            min=text(self._least[number]),
            max=text(self._greatest[number]),
            mean=summaries.mean(values),
            points=shown,
            downsampled=len(shown) < len(values),
        )

    def _shown(self, number: int, at_most: int | None) -> Integers:
        start, end = self._bounds[number], self._bounds[number + 1]
        if at_most is None or end - start <= at_most:
            return np.arange(start, end)
        if at_most == _ENDS:
            return np.array([start, end - 1])
        from service.domain.series import downsampling  # noqa: PLC0415 - loaded only where it is needed

        extremes = [int(place - start) for place in (self._greatest[number], self._least[number]) if place >= 0]
        chosen: Integers = start + downsampling.choose(self._values[start:end], extremes, at_most)
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
