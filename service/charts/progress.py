"""A run's series → a chart of how its metrics progressed, against step or time."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from itertools import pairwise
from typing import TypeVar

import msgspec
from msgspec import Raw

from service.charts import captions, scales, specification
from service.charts.clocks import LocalClock
from service.charts.model import SLOTTED, Axis, AxisKind, Caption, ChartType, Mark, Panel, Trace
from service.domain import points
from service.domain.errors import Fault, InvalidParameter
from service.domain.points import NameValue
from service.domain.series.census import Census, Needs
from service.domain.series.model import Series
from service.domain.timestamps import Moment, MomentReader, ZoneClock
from service.domain.zones import TimeZone

_Seen = TypeVar("_Seen", float, str)
_SEVERAL = 2
MOST_POINTS = 500
"""Points of a series that lines and scattered points show; more would be finer than the pixels."""
MOST_SLOTTED = 20_000
"""Points of a series from which columns and cells take their last ones: a coarser sample has its extremes there."""
_MOST_FACTS = 12
_CLOCK_CHANGES = {False: "times that come twice have their offset", True: "times that were skipped are missing"}


def points_for(chart_type: ChartType | None) -> int:
    """How many points of a series such a chart is made of; ``None`` is the type that suits the axis."""
    return MOST_SLOTTED if chart_type in SLOTTED else MOST_POINTS


class Against(StrEnum):
    """What metrics are drawn against."""

    STEP = "step"
    TIME = "time"

    @property
    def needs(self) -> Needs:
        """What a point must have to be drawn."""
        return Needs.STEP if self is Against.STEP else Needs.TIMESTAMP

    @property
    def lacks(self) -> str:
        """What a point has not that cannot be placed."""
        return "step" if self is Against.STEP else "timestamp"

    @property
    def other(self) -> Against:
        """What else points can be drawn against."""
        return Against.TIME if self is Against.STEP else Against.STEP


class _Point(msgspec.Struct):
    step: Raw
    timestamp: str | None
    value: Raw


def chart(
    run_id: str,
    series: Sequence[Series],
    against: Against,
    chart_type: ChartType,
    zone: TimeZone,
    *,
    asked: Collection[str] = (),
) -> bytes:
    """A Vega-Lite v6 specification of one run's ``series``, those of the metrics ``asked`` for.

    Raises ``InvalidParameter`` where none of the points can be placed on the axis, or there are too many series.
    """
    drawing = Drawing(against, ZoneClock(zone))
    panels = drawing.panels(series)
    if series and not panels:
        others = " and ".join(f"x={other}" for other in Against if other is not against)
        raise InvalidParameter([Fault("x", drawing.why_empty(others))])
    axis = axis_of(panels, against, zone, "x")
    lacking = sorted(set(asked) - {points.text(one.name) for one in series})
    said = [f"Not logged: {captions.enumerated([captions.cut(name) for name in lacking[:8]])}"] if lacking else []
    caption = Caption(
        title=_title(panels, against),
        notes=[f"Run {run_id}", *said, *notes(series, drawing, against, "x"), *_of_scatter(series, chart_type)],
        legend="Series",
        facts=[f"Run {run_id}", *(_fact(one) for one in series[:_MOST_FACTS])],
    )
    return specification.chart(panels, axis, chart_type, caption)


def room_for(against: Against) -> Census:
    """Ends the reading of points with ``InvalidParameter`` where they have more series than a chart shows."""
    return Census(lambda counts: specification.check_room(counts, "name"), against.needs)


class Drawing:
    """Series → panels; counts what cannot be drawn: of the ``unplaced`` points ``elsewhere`` have a place on the other
    axis."""

    def __init__(self, against: Against, clock: ZoneClock) -> None:
        self._against = against
        self._clock = clock
        self._moments = MomentReader()
        self._offsets: list[tuple[float, str]] = []
        self._places: set[float] = set()
        self._others: set[str] = set()
        self._most_marks = 0
        self.unplaced = 0
        self.without_value = 0
        self.elsewhere = 0
        self.off_scale: list[str] = []
        """The texts of values without a place on the value axis."""

    def panels(self, series: Sequence[Series]) -> list[Panel]:
        by_metric: dict[str, list[Series]] = {}
        for one in series:
            by_metric.setdefault(points.text(one.name), []).append(one)
        panels = [self._panel(metric, several) for metric, several in by_metric.items()]
        return [panel for panel in panels if panel.traces]

    def _panel(self, metric: str, series: Sequence[Series]) -> Panel:
        names = captions.trace_names([_labels(one.labels) for one in series], metric)
        traces = [Trace(name, self.marks(one)) for name, one in zip(names, series, strict=True)]
        return Panel(metric, [trace for trace in traces if trace.marks])

    def marks(self, series: Series) -> list[Mark]:
        """The points of one series that have a value and a place."""
        read = [msgspec.json.decode(text, type=_Point) for text in series.points]
        valued = [point for point in read if bytes(point.value) != points.NULL]
        marks = [mark for mark in map(self._mark, valued) if mark is not None]
        self.without_value += len(read) - len(valued)
        self.unplaced += len(valued) - len(marks)
        self.off_scale += [mark.text for mark in marks if mark.value is None]
        self._most_marks = max(self._most_marks, len(marks))
        return marks

    def why_empty(self, others: str) -> str:
        """Why not one point has a mark; ``others`` is what else they can be drawn against."""
        if not self.unplaced:
            return "none of these points has a value"
        return f"none of these points has a {self._against.lacks}; available: {others}"

    @property
    def in_one_place(self) -> bool:
        """Whether all that is drawn stands in one place, and would not on the other axis."""
        return len(self._places) == 1 and self._most_marks > 1 and len(self._others) > 1

    def clock_changes(self) -> set[bool]:
        """How the clock was changed between the points: ``True`` forward, ``False`` back."""
        offsets = [_minutes(offset) for _, offset in sorted(self._offsets)]
        return {after > before for before, after in pairwise(offsets) if after != before}

    def _mark(self, point: _Point) -> Mark | None:
        literal = bytes(point.value).decode("ascii")
        text = literal.strip('"')
        value = Raw(point.value) if scales.has_place(float(text)) else None
        step = bytes(point.step)
        by_step = self._against is Against.STEP
        mark = self._at_step(step, value, text) if by_step else self._at_time(point.timestamp, value, text)
        other = point.timestamp if by_step else (None if step == points.NULL else step.decode("ascii"))
        if mark is None:
            self.elsewhere += other is not None
        else:
            _note(self._places, mark.place)
            _note(self._others, other)
        return mark

    def _at_step(self, step: bytes, value: Raw | None, text: str) -> Mark | None:
        if step == points.NULL or not scales.has_place(float(step)):
            return None
        return Mark(Raw(step), float(step), value, step.decode("ascii"), text)

    def _at_time(self, timestamp: str | None, value: Raw | None, text: str) -> Mark | None:
        moment = None if timestamp is None else self._moments.read(timestamp.encode("ascii"))
        if not isinstance(moment, Moment):
            return None
        written = self._clock.write(moment).decode("ascii")
        minute = datetime.fromisoformat(moment.minute.decode("ascii")).replace(tzinfo=UTC)
        place = minute.timestamp() + float(moment.rest[1:])
        offset = written[16 + len(moment.rest) :]
        if not self._offsets or self._offsets[-1][1] != offset:
            self._offsets.append((place, offset))
        return Mark(Raw(repr(place * 1000).encode("ascii")), place, value, written, text)


def _labels(literal: bytes) -> list[NameValue]:
    return [NameValue(label["name"], label["value"]) for label in json.loads(literal)]


def _title(panels: Sequence[Panel], against: Against) -> str:
    metrics = captions.enumerated([panel.metric for panel in panels])
    return f"{captions.cut(metrics)} by {against}" if panels else "No points"


def axis_of(panels: Sequence[Panel], against: Against, zone: TimeZone, parameter: str) -> Axis:
    """The axis that the panels share; ``parameter`` of the query chose it."""
    if against is Against.STEP:
        return Axis("Step", AxisKind.NUMBER, parameter, against)
    instants = [mark.place for panel in panels for trace in panel.traces for mark in trace.marks]
    clock = LocalClock(ZoneClock(zone), instants)
    title = f"Time ({zone.name})" if clock.day is None else f"Time on {clock.day.isoformat()} ({zone.name})"
    return Axis(title, AxisKind.TIME, parameter, against, clock)


def _of_scatter(series: Sequence[Series], chart_type: ChartType) -> list[str]:
    sampled = chart_type is ChartType.SCATTER and any(one.downsampled for one in series)
    return ["The extremes of each part are among them: dense parts have more points than are drawn"] if sampled else []


def notes(series: Sequence[Series], drawing: Drawing, against: Against, parameter: str) -> list[str]:
    """What a reader must know of what is not drawn."""
    shown, whole = sum(len(one.points) for one in series), sum(one.count for one in series)
    said = []
    if shown < whole:
        said.append(f"{shown:,} of {whole:,} points, chosen so that the picture stays")
    if drawing.unplaced:
        shows = (
            f": {parameter}={against.other} shows {'it' if drawing.unplaced == 1 else 'them'}"
            if drawing.elsewhere
            else ""
        )
        said.append(f"{drawing.unplaced:,} without a {against.lacks}, not drawn{shows}")
    if drawing.without_value:
        said.append(without_value(drawing.without_value))
    if drawing.in_one_place:
        said.append(f"All points have the same {against.lacks}: {parameter}={against.other} shows more")
    said += off_scale(drawing.off_scale)
    if changes := drawing.clock_changes():
        how = [_CLOCK_CHANGES[change] for change in sorted(changes)]
        said.append(f"The clocks change in between: {captions.enumerated(how)}")
    return said


def _note(seen: set[_Seen], one: _Seen | None) -> None:
    """Remember ``one``; two that differ are enough."""
    if one is not None and len(seen) < _SEVERAL:
        seen.add(one)


def _minutes(offset: str) -> int:
    """``+05:30`` → 330, ``Z`` → 0."""
    return 0 if offset == "Z" else int(f"{offset[0]}1") * (60 * int(offset[1:3]) + int(offset[4:6]))


def off_scale(texts: Collection[str]) -> list[str]:
    """Why values, by their text, have no place on the value axis."""
    words = sum(text.lstrip("-").isalpha() for text in texts)
    counts = {"not finite (NaN or infinite)": words, "too large to be drawn": len(texts) - words}
    return [f"{count:,} {why}, without a place on the value axis" for why, count in counts.items() if count]


def without_value(count: int) -> str:
    return f"{count:,} without a value, not drawn"


def _fact(series: Series) -> str:
    """A series in words."""
    first, last = _value(series.first), _value(series.last)
    labels = ", ".join(f"{label.name}={label.value}" for label in _labels(series.labels))
    name = points.text(series.name) + (f" ({labels})" if labels else "")
    if series.min is None or series.max is None:
        return f"{name}: {series.count:,} points, none of them a number"
    extremes = f"least {_value(series.min)}, greatest {_value(series.max)}"
    return f"{name}: {series.count:,} points, first {first}, last {last}, {extremes}"


def _value(point: bytes) -> str:
    literal = bytes(msgspec.json.decode(point, type=_Point).value)
    return "without a value" if literal == points.NULL else literal.decode("ascii").strip('"')
