"""A run's series → a chart of how its metrics progressed, against step or time."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from enum import StrEnum

import msgspec
from msgspec import Raw

from service.charts import captions, clocks, specification
from service.charts.model import SLOTTED, Axis, AxisKind, Caption, ChartType, Mark, Panel, Trace
from service.domain import points
from service.domain.errors import Fault, InvalidParameter
from service.domain.points import NameValue
from service.domain.series.model import Series
from service.domain.timestamps import Moment, MomentReader, ZoneClock
from service.domain.zones import TimeZone

MOST_POINTS = 500
"""Points of a series that lines and scattered points show; more would be finer than the pixels."""
MOST_SLOTTED = 20_000
"""Points of a series from which columns and cells take their last ones: a coarser sample has its extremes there."""
_MOST_FACTS = 12


def points_for(chart_type: ChartType | None) -> int:
    """How many points of a series such a chart is made of; ``None`` is the type that suits the axis."""
    return MOST_SLOTTED if chart_type in SLOTTED else MOST_POINTS


class Against(StrEnum):
    """What metrics are drawn against."""

    STEP = "step"
    TIME = "time"

    @property
    def lacks(self) -> str:
        """What a point has not that cannot be placed."""
        return "step" if self is Against.STEP else "timestamp"


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
        notes=[f"Run {run_id}", *said, *notes(series, drawing, against), *_of_scatter(series, chart_type)],
        legend="Series",
        facts=[f"Run {run_id}", *(_fact(one) for one in series[:_MOST_FACTS])],
    )
    return specification.chart(panels, axis, chart_type, caption)


class Drawing:
    """Series → panels; counts what cannot be drawn."""

    def __init__(self, against: Against, clock: ZoneClock) -> None:
        self._against = against
        self._clock = clock
        self._moments = MomentReader()
        self.unplaced = 0
        self.without_value = 0
        self.not_finite = 0
        self.offsets: set[str] = set()

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
        self.not_finite += sum(mark.value is None for mark in marks)
        return marks

    def why_empty(self, others: str) -> str:
        """Why not one point has a mark; ``others`` is what else they can be drawn against."""
        if not self.unplaced:
            return "none of these points has a value"
        return f"none of these points has a {self._against.lacks}; possible is {others}"

    def _mark(self, point: _Point) -> Mark | None:
        literal = bytes(point.value).decode("ascii")
        told = literal.strip('"')
        value = Raw(point.value) if math.isfinite(float(told)) else None
        if self._against is Against.STEP:
            return self._at_step(bytes(point.step), value, told)
        return self._at_time(point.timestamp, value, told)

    def _at_step(self, step: bytes, value: Raw | None, told: str) -> Mark | None:
        if step == points.NULL or not math.isfinite(float(step)):
            return None
        return Mark(Raw(step), float(step), value, step.decode("ascii"), told)

    def _at_time(self, timestamp: str | None, value: Raw | None, told: str) -> Mark | None:
        moment = None if timestamp is None else self._moments.read(timestamp.encode("ascii"))
        if not isinstance(moment, Moment):
            return None
        written = self._clock.write(moment).decode("ascii")
        self.offsets.add(written[19 + len(moment.rest) - 3 :])
        local = datetime.fromisoformat(written[:19]).replace(tzinfo=UTC)
        fraction = float(f"0{moment.rest[3:].decode('ascii')}") if len(moment.rest) > 3 else 0.0
        milliseconds = f"{written[:19]}.{int(fraction * 1000):03d}"
        return Mark(Raw(f'"{milliseconds}"'.encode()), local.timestamp() + fraction, value, written, told)


def _labels(literal: bytes) -> list[NameValue]:
    return [NameValue(label["name"], label["value"]) for label in json.loads(literal)]


def _title(panels: Sequence[Panel], against: Against) -> str:
    metrics = captions.enumerated([panel.metric for panel in panels])
    return f"{captions.cut(metrics)} by {against}" if panels else "No points"


def axis_of(panels: Sequence[Panel], against: Against, zone: TimeZone, parameter: str) -> Axis:
    """The axis that the panels share; ``parameter`` of the query chose it."""
    if against is Against.STEP:
        return Axis("Step", AxisKind.NUMBER, parameter, against)
    day = clocks.only_day([mark.place for panel in panels for trace in panel.traces for mark in trace.marks])
    title = f"Time ({zone.name})" if day is None else f"Time on {day.isoformat()} ({zone.name})"
    return Axis(title, AxisKind.TIME, parameter, against)


def _of_scatter(series: Sequence[Series], chart_type: ChartType) -> list[str]:
    sampled = chart_type is ChartType.SCATTER and any(one.downsampled for one in series)
    return ["The extremes of each part are among them: dense parts have more points than are drawn"] if sampled else []


def notes(series: Sequence[Series], drawing: Drawing, against: Against) -> list[str]:
    """What a reader must know of what is not drawn."""
    shown, whole = sum(len(one.points) for one in series), sum(one.count for one in series)
    said = []
    if shown < whole:
        said.append(f"{shown:,} of {whole:,} points, chosen so that the picture stays")
    if drawing.unplaced:
        said.append(f"{drawing.unplaced:,} without a {against.lacks}, not drawn")
    if drawing.without_value:
        said.append(without_value(drawing.without_value))
    if drawing.not_finite:
        said.append(not_finite(drawing.not_finite))
    if len(drawing.offsets) > 1:
        said.append("The clocks change in between: an hour is there twice, or missing")
    return said


def not_finite(count: int) -> str:
    return f"{count:,} not finite (NaN or infinite), without a place on the value axis"


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
