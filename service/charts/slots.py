"""Slots of columns and cells: equal intervals of the axis, each with its last point, unchanged."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from service.charts.panels import Trace


class Slots(msgspec.Struct, frozen=True):
    """``count`` intervals of an axis, each ``width`` wide; where ``width`` is ``None``, each place is a slot."""

    start: float
    width: float | None
    count: int

    def number(self, place: float) -> float:
        """The number of a place's slot, ascending along the axis."""
        if self.width is None:
            return place
        return min((place - self.start) // self.width, self.count - 1)

    def bounds(self, number: float) -> tuple[float, float]:
        """The beginning and end of a slot."""
        if self.width is None:
            return number, number
        begin = self.start + number * self.width
        return begin, begin + self.width

    def numbers(self, traces: Sequence[Trace]) -> list[float]:
        """The numbers of all slots in order, including empty ones unless every place is a slot."""
        if self.width is not None:
            return list(map(float, range(self.count)))
        return sorted({mark.place for trace in traces for mark in trace.marks})

    def thin(self, trace: Trace) -> Trace:
        """The trace with only its last mark in each slot."""
        kept = {self.number(mark.place): mark for mark in trace.marks}
        return Trace(trace.name, list(kept.values()))


def slots(traces: Sequence[Trace], at_most: int) -> Slots:
    """Slots for all ``traces``: one for each place or, where these are too many, ``at_most`` of equal width."""
    places = {mark.place for trace in traces for mark in trace.marks}
    if len(places) <= at_most:
        return Slots(min(places, default=0.0), None, len(places))
    start, end = min(places), max(places)
    if not all(place.is_integer() for place in places):
        return Slots(start, (end - start) / at_most, at_most)
    width = -(-(end - start + 1) // at_most)
    return Slots(start, width, int(-(-(end - start + 1) // width)))
