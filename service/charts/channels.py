"""What the views have in common: how rows of data become position, colour and words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from service.charts import captions, scales, style
from service.charts.display import in_expression, quoted
from service.charts.model import Axis, AxisKind, Mark, Panel, Trace
from service.charts.scales import Scale
from service.charts.units import unit

Encoding = dict[str, Any]
View = dict[str, Any]
_MOST_TICKS = 8


def row(trace: Trace, number: int, mark: Mark) -> dict[str, Any]:
    """A mark as data; ``n`` is its position in the trace."""
    return {"series": trace.name, "n": number, "at": mark.at, "value": mark.value, "text": mark.text}


def names(panel: Panel) -> list[str]:
    return [trace.name for trace in panel.traces]


def title(panel: Panel) -> str:
    """The metric with its unit."""
    found = unit(panel.metric)
    name = captions.cut(panel.metric)
    return name if found is None else f"{name} ({found})"


def scale(panel: Panel, most: int = _MOST_TICKS, *, zero: bool = False, nice: bool = True) -> Scale:
    """Of the metric's values."""
    values = [float(bytes(mark.value)) for trace in panel.traces for mark in trace.marks if mark.value is not None]
    return scales.linear(values, most, zero=zero, nice=nice)


def value(panel: Panel, *, zero: bool) -> Encoding:
    """The metric's value as a position, from ``zero`` on where asked."""
    return {"field": "value", "type": "quantitative", "title": title(panel), **numbers(scale(panel, zero=zero))}


def numbers(scale: Scale) -> Encoding:
    """An axis of numbers."""
    ticks = {"values": scale.ticks, "format": scale.format}
    return {"scale": {"domain": scale.domain, "zero": False, "nice": False}, "axis": ticks}


def colour(panel: Panel, legend: str) -> Encoding:
    if len(panel.traces) == 1:
        return {"value": style.PALETTE[0]}
    return told_apart(panel, style.colours(len(panel.traces)), legend)


def told_apart(panel: Panel, values: Sequence[Any], legend: str) -> Encoding:
    """A channel that tells the traces apart by ``values``."""
    return {
        "field": "series",
        "type": "nominal",
        "scale": {"domain": names(panel), "range": values},
        "legend": {"title": legend},
    }


def tooltip(panel: Panel, axis: Axis) -> list[Encoding]:
    shown = [("at", _place(axis)), ("text", captions.cut(panel.metric))]
    shown += [("series", "Series")] if len(panel.traces) > 1 else []
    return [{"field": field, "type": "nominal", "title": in_expression(title)} for field, title in shown]


def description(panel: Panel, axis: Axis, *, of_each_mark: bool = True) -> Encoding:
    """What a screen reader says of a mark, or of the line through all marks of a trace.

    Vega-Lite's own would have the digits of its labels, and names in an expression that it does not escape.
    """
    name = quoted(captions.cut(panel.metric))
    said = [f'{name} + ", " + datum.series' if len(panel.traces) > 1 else name]
    said += [f"{quoted(_place(axis))} + ' ' + datum.at + ': ' + datum.text"] if of_each_mark else []
    return {"expr": " + '; ' + ".join(said)}


def _place(axis: Axis) -> str:
    return "Timestamp" if axis.kind is AxisKind.TIME else captions.cut(axis.title)
