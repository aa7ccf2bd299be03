"""A run's series → a chart of how its metrics progressed, against step or time."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import MAX_PREC, Context, Decimal
from enum import StrEnum
from itertools import accumulate, pairwise
from typing import TypeVar

import msgspec
from msgspec import Raw

from service.charts import captions, scales, specification
from service.charts.clocks import LocalClock
from service.charts.panels import SLOTTED, Axis, AxisKind, Caption, ChartType, Mark, Panel, Trace, ValueScale
from service.concurrency.decoders import json_decoder
from service.domain import points
from service.domain.errors import Fault, InvalidParameter
from service.domain.points import NameValue
from service.domain.series.census import Census, Needs
from service.domain.series.model import GAP, Projection, Series
from service.domain.timestamps import Moment, MomentReader, ZoneClock
from service.domain.zones import TimeZone

_Seen = TypeVar("_Seen", float, str)
_SEVERAL = 2
MOST_POINTS = 500
"""Points of a series that lines and scattered points show; more would be finer than the pixels."""
MOST_SLOTTED = 20_000
"""Points of a series from which columns and cells take their last ones: a coarser sample has its extremes there."""
_MOST_FACTS = 12
_MOST_NAMES = 8
_CLOCK_CHANGES = {False: "times that come twice have their offset", True: "times that were skipped are missing"}


def points_for(chart_type: ChartType | None) -> int:
    """How many points of a series such a chart is made of; ``None`` is the type that suits the axis."""
    return MOST_SLOTTED if chart_type in SLOTTED else MOST_POINTS


class Against(StrEnum):
    """What metrics are drawn against: ``ELAPSED`` is the time since the run's start."""

    STEP = "step"
    TIME = "time"
    ELAPSED = "elapsed"

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


@dataclass(frozen=True, slots=True)
class Drawn:
    """How metrics are drawn: ``smooth`` is the share that a moving mean keeps from point to point, 0 for none."""

    against: Against = Against.STEP
    scale: ValueScale = ValueScale.LINEAR
    smooth: float = 0.0

    @property
    def projection(self) -> Projection:
        """What series need for it."""
        return Projection(self.against.needs, self.smooth, self.scale is ValueScale.LOG)


@dataclass(frozen=True, slots=True)
class Lacking:
    """The metrics ``names`` that were asked for, and whether points were ``filtered`` by more than their names."""

    names: Sequence[str]
    filtered: bool = False

    def notes(self, there: Collection[str]) -> list[str]:
        """What is to be said of those that are not ``there``."""
        names = sorted({*self.names} - {*there})[:_MOST_NAMES]
        why = "Without a point that matches" if self.filtered else "Not logged"
        return [f"{why}: {captions.enumerated([captions.cut(name) for name in names])}"] if names else []


class _Point(msgspec.Struct):
    step: Raw
    timestamp: str | None
    value: Raw


_decode = json_decoder(_Point).decode


def chart(
    run_id: str,
    series: Sequence[Series],
    drawn: Drawn,
    chart_type: ChartType,
    zone: TimeZone,
    *,
    lacking: Lacking | None = None,
    start: bytes = points.NULL,
) -> bytes:
    """A Vega-Lite v6 specification of one run's ``series``, of the metrics asked for.

    ``start`` is the literal of the run's start time, which elapsed time is counted from. Raises ``InvalidParameter``
    where none of the points can be placed on the axis, or there are too many series.
    """
    against = drawn.against
    drawing = Drawing(drawn, ZoneClock(zone))
    since = instant(start)
    if against is Against.ELAPSED and since is None:
        raise InvalidParameter([Fault("x", "this run has no start time to count from; available: x=step and x=time")])
    panels = drawing.panels(series, since)
    if series and not panels:
        raise InvalidParameter([drawing.why_empty("x", [f"x={other}" for other in Against if other is not against])])
    axis = axis_of(panels, against, zone, "x")
    said = [] if lacking is None else lacking.notes({points.text(one.name) for one in series})
    caption = Caption(
        title=f"{captions.named([panel.metric for panel in panels])} by {words(against)}" if panels else "No points",
        notes=[f"Run {run_id}", *said, *notes(series, drawing, chart_type, "x"), *_of_scatter(series, chart_type)],
        facts=[f"Run {run_id}", *(_fact(one) for one in series[:_MOST_FACTS])],
    )
    return specification.chart(panels, axis, chart_type, caption)


def words(against: Against) -> str:
    """An axis as titles name it."""
    return "time elapsed" if against is Against.ELAPSED else str(against)


def room_for(against: Against) -> Census:
    """Ends the reading of points with ``InvalidParameter`` where they have more series than a chart shows."""
    return Census(lambda counts: specification.check_room(counts, "name"), against.needs)


class Drawing:
    """Series → panels; counts what cannot be drawn: of the ``unplaced`` points ``elsewhere`` have a place on the other
    axis."""

    def __init__(self, drawn: Drawn, clock: ZoneClock) -> None:
        self.drawn = drawn
        self._against = drawn.against
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

    def panels(self, series: Sequence[Series], since: Decimal | None = None) -> list[Panel]:
        by_metric: dict[str, list[Series]] = {}
        for one in series:
            by_metric.setdefault(points.text(one.name), []).append(one)
        panels = [self._panel(metric, several, since) for metric, several in by_metric.items()]
        return [panel for panel in panels if panel.traces]

    def _panel(self, metric: str, series: Sequence[Series], since: Decimal | None) -> Panel:
        otherwise = captions.WITHOUT_LABELS if len(series) > 1 else metric
        names = captions.trace_names([_labels(one.labels) for one in series], otherwise)
        traces = [Trace(name, self.marks(one, since)) for name, one in zip(names, series, strict=True)]
        return Panel(metric, [trace for trace in traces if trace.marks], self.drawn.scale)

    def marks(self, series: Series, since: Decimal | None = None) -> list[Mark]:
        """The points of one series that have a value and a place; elapsed time is counted from ``since``."""
        read = [_decode(text) for text in series.points]
        means = series.course.means or [None] * len(read)
        parts = accumulate(number in {*series.course.breaks} for number in range(len(read)))
        marks: list[Mark] = []
        valued = 0
        for point, mean, part in zip(read, means, parts, strict=True):
            if bytes(point.value) == points.NULL:
                continue
            valued += 1
            mark = self._mark(point, since)
            if mark is not None:
                marks.append(mark._replace(mean=mean, part=part) if part or mean is not None else mark)
        self.without_value += len(read) - valued
        self.unplaced += valued - len(marks)
        marks = [mark for mark in marks if stands(mark, self.drawn.scale)]
        self.off_scale += [mark.text for mark in marks if mark.value is None]
        self._most_marks = max(self._most_marks, len(marks))
        return marks

    def why_empty(self, parameter: str, others: Sequence[str]) -> Fault:
        """Why not one point has a mark; ``others`` is what else they can be drawn against by the ``parameter``."""
        if self.unplaced:
            detail = f"none of these points has a {self._against.lacks}; available: {captions.enumerated(others)}"
            return Fault(parameter, detail)
        if self.drawn.scale is ValueScale.LOG:
            return Fault("scale", NOT_POSITIVE)
        return Fault(parameter, "none of these points has a value")

    @property
    def in_one_place(self) -> bool:
        """Whether all that is drawn stands in one place, and would not on the other axis."""
        return len(self._places) == 1 and self._most_marks > 1 and len(self._others) > 1

    def clock_changes(self) -> set[bool]:
        """How the clock was changed between the points: ``True`` forward, ``False`` back."""
        offsets = [_minutes(offset) for _, offset in sorted(self._offsets)]
        return {after > before for before, after in pairwise(offsets) if after != before}

    def _mark(self, point: _Point, since: Decimal | None) -> Mark | None:
        literal = bytes(point.value).decode("ascii")
        text = literal.strip('"')
        value = Raw(point.value) if scales.has_place(float(text)) else None
        step = bytes(point.step)
        match self._against:
            case Against.STEP:
                mark, other = self._at_step(step, value, text), point.timestamp
            case Against.TIME:
                mark, other = self._at_time(point.timestamp, value, text), _text_or_none(step)
            case Against.ELAPSED:
                mark, other = self._at_elapsed(point.timestamp, since, value, text), _text_or_none(step)
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
        moment = self._moment(timestamp)
        if moment is None:
            return None
        written = self._clock.write(moment).decode("ascii")
        place = _minute(moment) + float(moment.rest[1:])
        offset = written[16 + len(moment.rest) :]
        if not self._offsets or self._offsets[-1][1] != offset:
            self._offsets.append((place, offset))
        return Mark(Raw(repr(place * 1000).encode("ascii")), place, value, written, text)

    def _at_elapsed(self, timestamp: str | None, since: Decimal | None, value: Raw | None, text: str) -> Mark | None:
        moment = self._moment(timestamp)
        if moment is None or since is None:
            return None
        seconds = f"{_EXACT.subtract(_seconds(moment), since).normalize(_EXACT):f}"
        return Mark(Raw(seconds.encode("ascii")), float(seconds), value, f"{seconds} s", text)

    def _moment(self, timestamp: str | None) -> Moment | None:
        moment = None if timestamp is None else self._moments.read(timestamp.encode("ascii"))
        return moment if isinstance(moment, Moment) else None


NOT_POSITIVE = "none of these values is greater than 0; available: scale=linear"


def stands(mark: Mark, scale: ValueScale) -> bool:
    """Whether a mark is drawn: in its place, or as what has none on any scale."""
    return scale is ValueScale.LINEAR or mark.value is None or float(mark.text) > 0


_EXACT = Context(prec=MAX_PREC)


def instant(literal: bytes) -> Decimal | None:
    """Seconds since 1970, exactly, of a timestamp's literal; ``None`` for ``null``, and beyond the years of UTC."""
    moment = None if literal == points.NULL else MomentReader().read(literal.strip(b'"'))
    return _seconds(moment) if isinstance(moment, Moment) else None


def _seconds(moment: Moment) -> Decimal:
    return _EXACT.add(Decimal(int(_minute(moment))), Decimal(moment.rest[1:].decode("ascii")))


def _minute(moment: Moment) -> float:
    """When it begins, in seconds since 1970."""
    return datetime.fromisoformat(moment.minute.decode("ascii")).replace(tzinfo=UTC).timestamp()


def _text_or_none(literal: bytes) -> str | None:
    return None if literal == points.NULL else literal.decode("ascii")


def _labels(literal: bytes) -> list[NameValue]:
    return [NameValue(label["name"], label["value"]) for label in json.loads(literal)]


def axis_of(panels: Sequence[Panel], against: Against, zone: TimeZone, parameter: str) -> Axis:
    """The axis that the panels share; ``parameter`` of the query chose it."""
    if against is Against.STEP:
        return Axis("Step", AxisKind.NUMBER, parameter, against)
    places = [mark.place for panel in panels for mark in panel.marks]
    if against is Against.ELAPSED:
        unit, name = _unit(max(map(abs, places), default=0.0))
        title = f"Time since the run's start ({name})"
        return Axis(title, AxisKind.NUMBER, parameter, against, unit=unit, unit_name=name)
    clock = LocalClock(ZoneClock(zone), places)
    title = f"Time ({zone.name})" if clock.day is None else f"Time on {clock.day.isoformat()} ({zone.name})"
    return Axis(title, AxisKind.TIME, parameter, against, clock)


_UNITS = ((86_400.0, "days"), (3600.0, "h"), (60.0, "min"))
_SEVERAL_UNITS = 2


def _unit(seconds: float) -> tuple[float, str]:
    """The greatest unit of which there are at least two in so many ``seconds``."""
    return next((one for one in _UNITS if seconds >= _SEVERAL_UNITS * one[0]), (1.0, "s"))


def _of_scatter(series: Sequence[Series], chart_type: ChartType) -> list[str]:
    sampled = chart_type is ChartType.SCATTER and any(one.downsampled for one in series)
    return ["The extremes of each part are among them: dense parts have more points than are drawn"] if sampled else []


def notes(series: Sequence[Series], drawing: Drawing, chart_type: ChartType, parameter: str) -> list[str]:
    """What a reader must know of how it is drawn, and of what is not."""
    against = drawing.drawn.against
    shown, whole = sum(len(one.points) for one in series), sum(one.count for one in series)
    said = []
    if drawing.drawn.smooth:
        said.append(f"Smoothed: moving mean with weight {drawing.drawn.smooth:g}, over all points; faint: as logged")
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
    said += not_positive(sum(one.course.not_positive for one in series), drawing.drawn.scale)
    gaps = sum(len(one.course.breaks) for one in series)
    if gaps and (chart_type is ChartType.LINE or drawing.drawn.smooth):
        longest = _length(max(one.course.longest_gap for one in series if one.course.breaks), against)
        where = f"a gap of {longest}" if gaps == 1 else f"{gaps:,} gaps, the longest {longest}"
        said.append(f"The line breaks at {where}: over {GAP} times the median distance of points")
    if changes := drawing.clock_changes():
        how = [_CLOCK_CHANGES[change] for change in sorted(changes)]
        said.append(f"The clocks change in between: {captions.enumerated(how)}")
    return said


def not_positive(count: int, scale: ValueScale) -> list[str]:
    """What a logarithmic axis leaves out."""
    return (
        [f"{count:,} not greater than 0, left out: the axis is logarithmic"]
        if count and scale is ValueScale.LOG
        else []
    )


def _length(distance: float, against: Against) -> str:
    if against is Against.STEP:
        return f"{distance:,.15g} steps"
    unit, name = _unit(distance)
    return f"{distance / unit:,.3g} {name}"


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
    literal = bytes(_decode(point).value)
    return "without a value" if literal == points.NULL else literal.decode("ascii").strip('"')
