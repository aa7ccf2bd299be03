"""What a chart shows, whatever it is written in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from msgspec import Raw

from service.charts.time_axis import LocalClock


class ChartType(StrEnum):
    """How a chart is drawn: columns stand, bars lie."""

    LINE = "line"
    SCATTER = "scatter"
    COLUMN = "column"
    BAR = "bar"
    HEATMAP = "heatmap"


SLOTTED = frozenset({ChartType.COLUMN, ChartType.BAR, ChartType.HEATMAP})
"""Types whose marks stand side by side, in slots."""


class ValueScale(StrEnum):
    """How an axis of values goes: by differences, or by ratios."""

    LINEAR = "linear"
    LOG = "log"


class AxisKind(StrEnum):
    """What the horizontal axis measures; the values are Vega-Lite's types."""

    NUMBER = "quantitative"
    TIME = "temporal"
    CATEGORY = "nominal"


@dataclass(frozen=True, slots=True)
class Axis:
    """``parameter`` and ``asked`` are the query parameter that chose the axis and its value, for messages.

    ``clock`` labels an axis of time, and only that. An axis of elapsed time is of seconds; its
    labels count in units of ``unit`` seconds, called ``unit_name``.
    """

    title: str
    kind: AxisKind
    parameter: str
    asked: str
    clock: LocalClock | None = None
    unit: float = 1.0
    unit_name: str = ""


class Mark(NamedTuple):
    """One point of a chart.

    ``x`` is the JSON literal of a number, in milliseconds since 1970 for an instant, or the string of a category.
    ``place`` is that as a number: an instant in seconds, a category's position among all. ``value`` is the JSON
    literal of a number, ``None`` for what has no place on an axis. ``at`` and ``text`` are both as a reader sees them.
    ``mean`` is the moving mean there, where the trace is smoothed; marks of another ``part`` are not joined by a line.
    """

    x: Raw
    place: float
    value: Raw | None
    at: str
    text: str
    mean: float | None = None
    part: int = 0


@dataclass(frozen=True, slots=True)
class Trace:
    """One line of a panel, or its columns of one colour. ``name`` is unique within its panel.

    Where runs are compared, ``run`` and ``labels`` are what the legend calls its run and its label set.
    """

    name: str
    marks: Sequence[Mark]
    run: str = ""
    labels: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """All traces of one metric: they share an axis of values, on a ``scale``."""

    metric: str
    traces: Sequence[Trace]
    scale: ValueScale = ValueScale.LINEAR

    @property
    def marks(self) -> Iterator[Mark]:
        """Of all traces."""
        return (mark for trace in self.traces for mark in trace.marks)


@dataclass(frozen=True, slots=True)
class Caption:
    """``notes`` stand below the ``title``; ``facts`` are for those who hear the chart instead of seeing it."""

    title: str
    notes: Sequence[str]
    facts: Sequence[str] = ()
