"""What the views have in common: how rows of data become position, colour and words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from service.charts import style
from service.charts.model import Axis, AxisKind, Mark, Panel, Trace
from service.charts.units import titled

Encoding = dict[str, Any]
View = dict[str, Any]
_LARGE, _SMALL = 1e7, 1e-3


def clean(text: str) -> str:
    """``text`` as UTF-8 can hold it: a lone surrogate becomes a question mark."""
    return text.encode("utf-8", "replace").decode("utf-8")


def row(trace: Trace, number: int, mark: Mark) -> dict[str, Any]:
    """A mark as data; ``n`` is its position in the trace."""
    return {"series": clean(trace.name), "n": number, "at": mark.at, "value": mark.value, "told": mark.told}


def names(panel: Panel) -> list[str]:
    return [clean(trace.name) for trace in panel.traces]


def value(panel: Panel) -> Encoding:
    """The metric's value; very large and very small ones in the E notation that they are logged in."""
    greatest = max(
        (abs(float(bytes(mark.value))) for trace in panel.traces for mark in trace.marks if mark.value is not None),
        default=0.0,
    )
    notation = {"axis": {"format": "~g"}} if greatest >= _LARGE or 0 < greatest < _SMALL else {}
    return {"field": "value", "type": "quantitative", "title": clean(titled(panel.metric)), **notation}


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
    shown = [("at", "Timestamp" if axis.kind is AxisKind.TIME else clean(axis.title)), ("told", clean(panel.metric))]
    shown += [("series", "Series")] if len(panel.traces) > 1 else []
    return [{"field": field, "type": "nominal", "title": title} for field, title in shown]
