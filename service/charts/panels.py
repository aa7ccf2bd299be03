"""The model of a chart, independent of Vega-Lite: panels, traces, marks, axes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import NamedTuple

import msgspec
from msgspec import Raw

from service.charts.time_axis import LocalClock


class ChartType(StrEnum):
    """How a chart is drawn; a column is vertical, a bar horizontal."""

    LINE = "line"
    SCATTER = "scatter"
    COLUMN = "column"
    BAR = "bar"
    HEATMAP = "heatmap"


SLOTTED = frozenset({ChartType.COLUMN, ChartType.BAR, ChartType.HEATMAP})
"""Types with marks side by side, in slots."""


class ValueScale(StrEnum):
    """The scale of an axis of values: by differences, or by ratios."""

    LINEAR = "linear"
    LOG = "log"


class AxisKind(StrEnum):
    """What the horizontal axis measures; the values are Vega-Lite's types."""

    NUMBER = "quantitative"
    TIME = "temporal"
    CATEGORY = "nominal"


class Axis(msgspec.Struct, frozen=True):
    """The horizontal axis. ``parameter`` and ``asked`` are the query parameter that chose it and its value, for
    messages.

    ``clock`` labels an axis of time, and only that. An axis of elapsed time is in seconds; its labels are in units of
    ``unit`` seconds, called ``unit_name``.
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
    literal of a number, ``None`` where the axis cannot show it. ``at`` and ``text`` are both as readers see them.
    ``mean`` is the moving mean there, where the trace is smoothed; marks of another ``part`` are not joined by a line.
    """

    x: Raw
    place: float
    value: Raw | None
    at: str
    text: str
    mean: float | None = None
    part: int = 0


class Trace(msgspec.Struct, frozen=True):
    """One line of a panel, or its columns of one colour. ``name`` is unique within its panel.

    Where runs are compared, ``run`` and ``labels`` are the names of its run and label set in the legend.
    """

    name: str
    marks: Sequence[Mark]
    run: str = ""
    labels: str = ""


class Panel(msgspec.Struct, frozen=True):
    """All traces of one metric, which share an axis of values with a ``scale``."""

    metric: str
    traces: Sequence[Trace]
    scale: ValueScale = ValueScale.LINEAR

    @property
    def marks(self) -> Iterator[Mark]:
        """The marks of all traces."""
        return (mark for trace in self.traces for mark in trace.marks)


class Caption(msgspec.Struct, frozen=True):
    """``notes`` are below the ``title``; ``facts`` are for screen readers."""

    title: str
    notes: Sequence[str]
    facts: Sequence[str] = ()
