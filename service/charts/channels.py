"""What the views have in common: how rows of data become position and words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from service.charts import captions, scales, style
from service.charts.panels import Axis, AxisKind, Mark, Panel, Trace, ValueScale
from service.charts.safe_text import in_expression, quoted
from service.charts.scales import Scale
from service.charts.units import unit

Encoding = dict[str, Any]
View = dict[str, Any]
_MOST_TICKS = 6
_BETWEEN = 8
"""Pixels that are free between the labels of two categories, at least."""
_FEW = 3
"""Labels of so many stand upright and are cut rather than slanting."""


def row(trace: Trace, mark: Mark) -> dict[str, Any]:
    """A mark as data: what was logged, and who logged it."""
    known: dict[str, Any] = {"series": trace.name, "at": mark.at, "value": mark.value, "text": mark.text}
    if trace.run:
        known |= {"run": trace.run, "labels": trace.labels}
    return known


def names(panel: Panel) -> list[str]:
    return [trace.name for trace in panel.traces]


def title(panel: Panel) -> str:
    """The metric with its unit."""
    found = unit(panel.metric)
    name = captions.cut(panel.metric)
    return name if found is None else f"{name} ({found})"


def scale(panel: Panel, most: int = _MOST_TICKS, *, zero: bool = False, nice: bool = True) -> Scale:
    """Of the metric's values; logarithmic ones have no zero to begin at."""
    values = [float(bytes(mark.value)) for mark in panel.marks if mark.value is not None]
    if panel.scale is ValueScale.LOG:
        return scales.logarithmic(values, most, nice=nice)
    return scales.linear(values, most, zero=zero, nice=nice)


def value(panel: Panel, *, zero: bool, field: str = "value") -> Encoding:
    """A value of the metric as a position, from ``zero`` on where asked and there is one."""
    found = numbers(scale(panel, zero=zero), scale_type=scale_type(panel))
    return {"field": field, "type": "quantitative", "title": title(panel), **found}


def scale_type(panel: Panel) -> Encoding:
    """What Vega-Lite calls the scale of the metric's values."""
    return {"type": "log"} if panel.scale is ValueScale.LOG else {"zero": False}


def numbers(scale: Scale, unit: float = 1.0, scale_type: Encoding | None = None) -> Encoding:
    """An axis of numbers, none of which is cut; ``scale`` counts in units of ``unit``."""
    ticks: Encoding = {"values": [tick * unit for tick in scale.ticks], "format": scale.format, "labelLimit": 0}
    if unit != 1.0:
        ticks["labelExpr"] = f"format(datum.value/{unit!r},'{ticks.pop('format')}')"
    domain = [bound * unit for bound in scale.domain]
    return {"scale": {"domain": domain, "nice": False, **(scale_type or {"zero": False})}, "axis": ticks}


def categories(names: Sequence[str]) -> Encoding:
    """An axis of categories: upright labels in as many lines as they have parts, where these fit, else slanting."""
    room = style.WIDTH / len(names)
    lines = {"labelExpr": f"split(datum.label,regexp({quoted(captions.PARTS.pattern)}))"}
    if len(names) <= _FEW or fit([part for name in names for part in captions.PARTS.split(name)], len(names)):
        return {"labelAngle": 0, "labelLimit": room - _BETWEEN, "labelOverlap": False, **lines}
    return {"labelAngle": -45, "labelLimit": 160, "labelOverlap": False, **lines}


def fit(lines: Sequence[str], count: int) -> bool:
    """Whether ``count`` upright labels of these lines have room along an axis."""
    return max(map(style.text_width, lines)) + _BETWEEN <= style.WIDTH / count


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
    if axis.unit_name:
        return "Elapsed"
    return "Timestamp" if axis.kind is AxisKind.TIME else captions.cut(axis.title)
