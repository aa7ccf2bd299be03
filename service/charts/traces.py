"""Series as the traces and marks of panels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from itertools import accumulate, pairwise, repeat

import msgspec
from msgspec import Raw

from service.charts import captions, scales
from service.charts.panels import Mark, Panel, Trace
from service.charts.x_axis import EXACT, Against, ChartOptions, begin_of, exact_seconds
from service.concurrency.decoders import json_decoder
from service.domain import points
from service.domain.errors import Fault
from service.domain.series.reasons import Reason
from service.domain.series.series import Series
from service.domain.timestamps import Moment, MomentReader, ZoneClock

_SEVERAL = 2


class _Point(msgspec.Struct):
    step: Raw
    timestamp: str | None
    value: Raw


_decode = json_decoder(_Point).decode


class Drawing:
    """Series → panels. ``counts`` has the number of points of each reason not to draw them, also of those that samples
    leave out."""

    def __init__(self, options: ChartOptions, clock: ZoneClock) -> None:
        self.options = options
        self.counts: Counter[Reason] = Counter()
        self._against = options.against
        self._clock = clock
        self._moments = MomentReader()
        self._offsets: list[tuple[float, str]] = []
        self._places: set[str] = set()
        self._others: set[str] = set()
        self._most_marks = 0

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
        """The marks of the points of one series; elapsed time is counted from ``since``."""
        course = series.course
        breaks = {*course.breaks}
        parts = accumulate(number in breaks for number in range(len(series.points)))
        marks = []
        for text, mean, part in zip(series.points, course.means or repeat(None), parts, strict=False):
            mark = self._mark(_decode(text), since)
            marks.append(mark._replace(mean=mean, part=part) if part or mean is not None else mark)
        self.counts.update(dict(zip(Reason, course.counts, strict=True)))
        self._most_marks = max(self._most_marks, len(marks))
        return marks

    @property
    def unplaced(self) -> int:
        """The number of points without a place on the axis, on whichever they have one."""
        return self.counts[Reason.UNPLACED] + self.counts[Reason.ELSEWHERE]

    def why_empty(self, parameter: str, others: Sequence[str]) -> Fault | None:
        """Why no point has a mark; ``others`` are the values of ``parameter`` with which points can be drawn. ``None``
        where the values of those with a place do not stand on the axis, which the notes say."""
        if any(self.counts[reason] for reason in Reason if reason < Reason.WITHOUT_VALUE):
            return None
        beyond = self.counts[Reason.BEYOND]
        if beyond or self.unplaced:
            lacks = self._against.lacks
            what = f"has a {lacks}" if not beyond else f"has a {lacks} that an axis can show"
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

    def _mark(self, point: _Point, since: Decimal | None) -> Mark:
        text = bytes(point.value).decode("ascii").strip('"')
        value = Raw(point.value) if scales.has_place(float(text)) else None
        step = bytes(point.step)
        match self._against:
            case Against.STEP:
                mark, other = Mark(Raw(step), float(step), value, step.decode("ascii"), text), point.timestamp
            case Against.TIME:
                mark, other = self._at_time(self._moment(point), value, text), _text_or_none(step)
            case Against.ELAPSED:
                if since is None:
                    raise TypeError("elapsed time is counted from no start")
                mark, other = self._at_elapsed(self._moment(point), since, value, text), _text_or_none(step)
        _note(self._places, mark.at)
        _note(self._others, other)
        return mark

    def _at_time(self, moment: Moment, value: Raw | None, text: str) -> Mark:
        written = self._clock.write(moment).decode("ascii")
        place = begin_of(moment) + float(moment.rest[1:])
        offset = written[16 + len(moment.rest) :]
        if not self._offsets or self._offsets[-1][1] != offset:
            self._offsets.append((place, offset))
        return Mark(Raw(repr(place * 1000).encode("ascii")), place, value, written, text)

    def _at_elapsed(self, moment: Moment, since: Decimal, value: Raw | None, text: str) -> Mark:
        seconds = f"{EXACT.subtract(exact_seconds(moment), since).normalize(EXACT):f}"
        return Mark(Raw(seconds.encode("ascii")), float(seconds), value, f"{seconds} s", text)

    def _moment(self, point: _Point) -> Moment:
        """The instant of a point that is drawn, which has one."""
        moment = self._moments.read((point.timestamp or "").encode("ascii"))
        if not isinstance(moment, Moment):
            raise TypeError(f"a point without an instant is drawn by it: {point.timestamp}")
        return moment


def _text_or_none(literal: bytes) -> str | None:
    return None if literal == points.NULL else literal.decode("ascii")


def _note(seen: set[str], one: str | None) -> None:
    """Remember ``one``; at most two different ones are needed."""
    if one is not None and len(seen) < _SEVERAL:
        seen.add(one)


def _minutes(offset: str) -> int:
    """``+05:30`` → 330, ``Z`` → 0."""
    return 0 if offset == "Z" else int(f"{offset[0]}1") * (60 * int(offset[1:3]) + int(offset[4:6]))
