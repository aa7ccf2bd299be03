"""The state of a watched run: its status, and the last and extreme values of each metric."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

import msgspec
from msgspec import Raw

from service.concurrency.decoders import json_decoder
from service.domain import points
from service.domain.expectations import Check, Expectation
from service.domain.metric_summaries import MetricSummaries
from service.domain.metrics import Chunk
from service.domain.series.aggregates import summarize
from service.watching.event_source import Event


class _Label(msgspec.Struct):
    name: str
    value: str


class Point(msgspec.Struct):
    """A point of an event; numbers are JSON literals."""

    name: str
    value: Raw
    timestamp: str | None
    step: Raw
    labels: list[_Label]

    @property
    def metric(self) -> str:
        """The metric's name and labels, safe for a terminal."""
        labels = ",".join(f"{label.name}={label.value}" for label in self.labels)
        return shown(f"{self.name}[{labels}]" if labels else self.name)

    @property
    def number(self) -> str:
        return bytes(self.value).decode().strip('"')

    @property
    def at_step(self) -> str:
        return "" if bytes(self.step) == points.NULL else bytes(self.step).decode()


class _State(msgspec.Struct):
    status: str
    count: int = 0


class _Points(msgspec.Struct):
    metrics: list[Raw]


class _End(msgspec.Struct):
    reason: str


@dataclass
class Row:
    """A metric with one label set: its last point (of the highest step), and its lowest and highest value."""

    last: Point
    count: int = 0
    least: Point | None = None
    greatest: Point | None = None

    def add(self, point: Point) -> None:
        self.count += 1
        if _step(point) >= _step(self.last):
            self.last = point
        number = _number(point)
        if number is None:
            return
        if self.least is None or number < points.exact(bytes(self.least.value)):
            self.least = point
        if self.greatest is None or number > points.exact(bytes(self.greatest.value)):
            self.greatest = point


@dataclass
class Progress:
    """The run as described by the events so far; ``expected`` are the checks that it should pass."""

    expected: tuple[Expectation, ...] = ()
    status: str = ""
    total: int = 0
    """The number of points when the stream began."""
    count: int = 0
    rows: dict[str, Row] = field(default_factory=dict)
    reason: str = ""
    """Why the stream has ended; empty while it is open."""
    _chunks: list[Chunk] = field(default_factory=list)

    def take(self, event: Event) -> list[Point]:
        """Apply an event and return its new points. Raises ``msgspec.MsgspecError`` for one that cannot be read."""
        match event.kind:
            case "state":
                state = json_decoder(_State).decode(event.data)
                self.status, self.total = state.status, state.count
            case "status":
                self.status = json_decoder(_State).decode(event.data).status
            case "changed":
                self.count, self.rows, self._chunks = 0, {}, []
            case "end":
                self.reason = json_decoder(_End).decode(event.data).reason
            case "points":
                return self._add(json_decoder(_Points).decode(event.data).metrics)
        return []

    def checks(self) -> list[Check]:
        """The result of each expectation so far."""
        summaries = MetricSummaries(summarize(self._chunks))
        return [one.check(summaries) for one in self.expected]

    def _add(self, texts: list[Raw]) -> list[Point]:
        if self.expected and texts:
            self._chunks.append(Chunk(b",".join(texts), len(texts)))
        found = [json_decoder(Point).decode(text) for text in texts]
        for point in found:
            row = self.rows.setdefault(point.metric, Row(point))
            row.add(point)
        self.count += len(found)
        return found


def shown(text: str) -> str:
    """A run's text without control characters of a terminal."""
    return "".join(each if each.isprintable() else "�" for each in text)


def _step(point: Point) -> int:
    text = point.at_step
    return int(text) if text else -1


def _number(point: Point) -> Decimal | None:
    if bytes(point.value) == points.NULL:
        return None
    number = points.exact(bytes(point.value))
    return None if number.is_nan() else number
