"""What a chart shows, before it is said in Vega-Lite."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from msgspec import Raw

from service.charts.clocks import LocalClock


class ChartType(StrEnum):
    """How a chart is drawn: columns stand, bars lie."""

    LINE = "line"
    SCATTER = "scatter"
    COLUMN = "column"
    BAR = "bar"
    HEATMAP = "heatmap"


SLOTTED = frozenset({ChartType.COLUMN, ChartType.BAR, ChartType.HEATMAP})
"""Types whose marks stand side by side, in slots."""


class AxisKind(StrEnum):
    """What the horizontal axis measures; the values are Vega-Lite's types."""

    NUMBER = "quantitative"
    TIME = "temporal"
    CATEGORY = "nominal"


@dataclass(frozen=True, slots=True)
class Axis:
    """``parameter`` and ``asked`` are the query parameter that chose the axis and its value, for messages.

    ``clock`` labels an axis of time, and only that.
    """

    title: str
    kind: AxisKind
    parameter: str
    asked: str
    clock: LocalClock | None = None


class Mark(NamedTuple):
    """One point of a chart.

    ``x`` is the JSON literal of a number, in milliseconds since 1970 for an instant, or the string of a category.
    ``place`` is that as a number: an instant in seconds, a category's position among all. ``value`` is the JSON
    literal of a number, ``None`` for what has no place on an axis. ``at`` and ``text`` are both as a reader sees them.
    """

    x: Raw
    place: float
    value: Raw | None
    at: str
    text: str


@dataclass(frozen=True, slots=True)
class Trace:
    """One line of a panel, or its columns of one colour. ``name`` is what the legend calls it."""

    name: str
    marks: Sequence[Mark]


@dataclass(frozen=True, slots=True)
class Panel:
    """All traces of one metric: they share a vertical axis."""

    metric: str
    traces: Sequence[Trace]


@dataclass(frozen=True, slots=True)
class Caption:
    """``notes`` stand below the ``title``; ``legend`` is what the traces' names are; ``facts`` are for those who hear
    the chart instead of seeing it."""

    title: str
    notes: Sequence[str]
    legend: str
    facts: Sequence[str] = ()
