"""Lines and scattered points: each mark stands where its point is."""

from __future__ import annotations

from service.charts import channels, clocks, style
from service.charts.channels import Encoding, View
from service.charts.model import Axis, AxisKind, Panel

_FEW = 60
"""Up to so many points, a line shows them as dots."""
_HEIGHT = 300
_LOCAL_TIME = "utc:'%Y-%m-%dT%H:%M:%S.%L'"
"""Local times are drawn as if they were UTC, so that every viewer sees the same clock, wherever they are."""


def line(panel: Panel, axis: Axis, legend: str) -> View:
    dots = max(len(trace.marks) for trace in panel.traces) <= _FEW
    mark = {"type": "line", "strokeWidth": 2, "strokeJoin": "round", "point": {"size": 30} if dots else False}
    encoding = _encoding(panel, axis, legend)
    encoding["order"] = {"field": "n", "type": "quantitative"}
    if len(panel.traces) > len(style.PALETTE):
        encoding["strokeDash"] = channels.told_apart(panel, style.dashes(len(panel.traces)), legend)
    return _view(panel, axis, mark, encoding)


def scatter(panel: Panel, axis: Axis, legend: str) -> View:
    encoding = _encoding(panel, axis, legend)
    if len(panel.traces) > 1:
        encoding["shape"] = channels.told_apart(panel, style.shapes(len(panel.traces)), legend)
    return _view(panel, axis, {"type": "point", "filled": True, "size": 36, "opacity": 0.75}, encoding)


def _view(panel: Panel, axis: Axis, mark: Encoding, encoding: Encoding) -> View:
    rows = [
        channels.row(trace, number, mark) | {"x": mark.x}
        for trace in panel.traces
        for number, mark in enumerate(trace.marks)
    ]
    data: View = {"values": rows}
    if axis.kind is AxisKind.TIME:
        data["format"] = {"type": "json", "parse": {"x": _LOCAL_TIME}}
    body: View = {"mark": mark, "encoding": encoding}
    if any(row["value"] is None for row in rows):
        body = {"layer": [body, _crosses(encoding)]}
    return {"width": style.WIDTH, "height": _HEIGHT, "data": data, **body}


def _crosses(encoding: Encoding) -> View:
    """Points that are not finite, as crosses at the top."""
    return {
        "transform": [{"filter": "datum.value === null"}],
        "mark": {"type": "point", "shape": "cross", "angle": 45, "size": 70, "filled": True},
        "encoding": {name: encoding[name] for name in ("x", "color", "tooltip")} | {"y": {"value": 0}},
    }


def _encoding(panel: Panel, axis: Axis, legend: str) -> Encoding:
    return {
        "x": _along(panel, axis),
        "y": channels.value(panel) | {"scale": {"zero": False}},
        "color": channels.colour(panel, legend),
        "tooltip": channels.tooltip(panel, axis),
    }


def _along(panel: Panel, axis: Axis) -> Encoding:
    encoding: Encoding = {"field": "x", "type": str(axis.kind), "title": channels.clean(axis.title)}
    places = [mark.place for trace in panel.traces for mark in trace.marks]
    match axis.kind:
        case AxisKind.TIME:
            ticks = {"format": clocks.tick_format(places), "tickCount": 8}
            return encoding | {"scale": {"type": "utc"}, "axis": ticks}
        case AxisKind.NUMBER:
            ticks = {"tickMinStep": 1} if all(map(float.is_integer, places)) else {}
            return encoding | {"scale": {"zero": False}, "axis": ticks}
        case AxisKind.CATEGORY:
            return encoding | {"sort": None, "axis": {"labelAngle": 0, "labelLimit": 160}}
