"""Series as the traces and marks of panels, counting what cannot be drawn."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from itertools import accumulate, pairwise

import msgspec
from msgspec import Raw

from service.charts import captions, scales
from service.charts.panels import Mark, Panel, Trace, ValueScale
from service.charts.x_axis import EXACT, Against, ChartOptions, begin_of, exact_seconds
from service.concurrency.decoders import json_decoder
from service.domain import points
from service.domain.errors import Fault
from service.domain.series.series import Series
from service.domain.timestamps import Moment, MomentReader, ZoneClock

_SEVERAL = 2


class _Point(msgspec.Struct):
    step: Raw
    timestamp: str | None
    value: Raw


_decode = json_decoder(_Point).decode


class Drawing:
    """Series → panels. Counts the points that cannot be drawn: of the ``unplaced`` ones, ``elsewhere`` could be drawn
    against the other axis; no axis reaches those ``beyond``."""

    def __init__(self, options: ChartOptions, clock: ZoneClock) -> None:
        self.options = options
        self._against = options.against
        self._clock = clock
        self._moments = MomentReader()
        self._offsets: list[tuple[float, str]] = []
        self._places: set[str] = set()
        self._others: set[str] = set()
        self._most_marks = 0
        self._placed = 0
        self.unplaced = 0
        self.beyond = 0
        self.without_value = 0
        self.elsewhere = 0
        self.off_scale: list[str] = []
        """The texts of values that the value axis cannot show."""

    def panels(self, series: Sequence[Series], since: Decimal | None = None) -> list[Panel]:
        by_metric: dict[str, list[Series]] = {}
        for one in series:
            by_metric.setdefault(points.text(one.name), []).append(one)
        panels = [self._panel(metric, several, since) for metric, several in by_metric.items()]
        return [panel for panel in panels if panel.traces]

    def _panel(self, metric: str, series: Sequence[Series], since: Decimal | None) -> Panel:
        otherwise = captions.WITHOUT_LABELS if len(series) > 1 else metric
        names = captions.trace_names([points.labels(one.labels) for one in series], otherwise)
        traces = [Trace(name, self.marks(one, since)) for name, one in zip(names, series, strict=True)]
        return Panel(metric, [trace for trace in traces if trace.marks], self.options.scale)

    def marks(self, series: Series, since: Decimal | None = None) -> list[Mark]:
        """The marks of the points of one series with a value and a place; elapsed time is counted from ``since``."""
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
        self._placed += len(marks)
        marks = [mark for mark in marks if stands(mark, self.options.scale)]
        self.off_scale += [mark.text for mark in marks if mark.value is None]
        self._most_marks = max(self._most_marks, len(marks))
        return marks

    def why_empty(self, parameter: str, others: Sequence[str]) -> Fault | None:
        """Why no point has a mark; ``others`` are the values of ``parameter`` with which points can be drawn. ``None``
        where the values of those with a place do not stand on the axis, which the notes say."""
        if self._placed:
            return None
        if self.beyond or self.unplaced:
            lacks = self._against.lacks
            what = f"has a {lacks}" if not self.beyond else f"has a {lacks} that an axis can show"
            return Fault(parameter, f"none of these points {what}; available: {captions.enumerated(others)}")
        return Fault(parameter, "none of these points has a value")

    @property
    def in_one_place(self) -> bool:
        """Whether all marks are at one place, but would not be on the other axis."""
        return len(self._places) == 1 and self._most_marks > 1 and len(self._others) > 1

    def clock_changes(self) -> set[bool]:
        """The changes of the clock between the points: ``True`` forward, ``False`` back."""
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
        if mark is not None:
            _note(self._places, mark.at)
            _note(self._others, other)
        elif step != points.NULL if self._against is Against.STEP else point.timestamp is not None:
            self.beyond += 1
        else:
            self.unplaced += 1
            self.elsewhere += other is not None
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
        place = begin_of(moment) + float(moment.rest[1:])
        offset = written[16 + len(moment.rest) :]
        if not self._offsets or self._offsets[-1][1] != offset:
            self._offsets.append((place, offset))
        return Mark(Raw(repr(place * 1000).encode("ascii")), place, value, written, text)

    def _at_elapsed(self, timestamp: str | None, since: Decimal | None, value: Raw | None, text: str) -> Mark | None:
        moment = self._moment(timestamp)
        if moment is None or since is None:
            return None
        seconds = f"{EXACT.subtract(exact_seconds(moment), since).normalize(EXACT):f}"
        return Mark(Raw(seconds.encode("ascii")), float(seconds), value, f"{seconds} s", text)

    def _moment(self, timestamp: str | None) -> Moment | None:
        moment = None if timestamp is None else self._moments.read(timestamp.encode("ascii"))
        return moment if isinstance(moment, Moment) else None


def stands(mark: Mark, scale: ValueScale) -> bool:
    """Whether a mark is drawn: a logarithmic scale cannot show zero or less."""
    return scale is ValueScale.LINEAR or mark.value is None or float(mark.text) > 0


def _text_or_none(literal: bytes) -> str | None:
    return None if literal == points.NULL else literal.decode("ascii")


def _note(seen: set[str], one: str | None) -> None:
    """Remember ``one``; at most two different ones are needed."""
    if one is not None and len(seen) < _SEVERAL:
        seen.add(one)


def _minutes(offset: str) -> int:
    """``+05:30`` → 330, ``Z`` → 0."""
    return 0 if offset == "Z" else int(f"{offset[0]}1") * (60 * int(offset[1:3]) + int(offset[4:6]))
