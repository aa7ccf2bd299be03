"""Counts series while points are read, before series are built."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from itertools import compress

from service.domain import points

Check = Callable[[Mapping[str, int]], None]


class Needs(Enum):
    """The member that a point must have to count."""

    NOTHING = "nothing"
    STEP = "step"
    TIMESTAMP = "timestamp"


class SeriesCounter:
    """Counts the series that have a point with what it ``needs``, for one reading of chunks.

    ``check`` is called with the number of series of each metric whenever that has grown, and raises where there are too
    many, which ends the reading.
    """

    def __init__(self, check: Check, needs: Needs = Needs.NOTHING) -> None:
        self.needs = needs
        self._check = check
        self._counts: Counter[str] = Counter()
        self._seen: set[int] = set()

    def add(
        self, numbers: Sequence[int], has_needed: Callable[[], Iterable[bool]], names: Sequence[tuple[bytes, bytes]]
    ) -> None:
        """Count the points of the series with these ``numbers``; ``has_needed`` is asked where one is new.

        ``names`` are the name and the labels of each number, -1 aside, which does not count.
        """
        if not {*numbers} - self._seen - {-1}:
            return
        found = {*compress(numbers, has_needed())} - self._seen - {-1}
        self._seen |= found
        self._counts.update(points.text(names[number][0]) for number in found)
        if found:
            self._check(self._counts)
