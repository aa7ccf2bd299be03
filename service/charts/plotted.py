"""Lines and scattered points: each mark stands where its point is."""

from __future__ import annotations

from service.charts import captions, channels, scales, style
from service.charts.channels import Encoding, View
from service.charts.clocks import Label, LocalClock, milliseconds_around
from service.charts.model import Axis, AxisKind, Panel

_FEW = 60
"""Up to so many points, a line shows them as dots."""
_HEIGHT = 300
_MOST_NUMBERS, _MOST_TIMES = 12, 8
"""Ticks along the axis."""
_STROKES = {"symbolType": "stroke", "symbolSize": 400}
"""A legend shows lines as lines, 20 pixels long."""
_BESIDE = 500
"""Milliseconds on each side of a single instant."""


def line(panel: Panel, axis: Axis, legend: str) -> View:
    dots = max(len(trace.marks) for trace in panel.traces) <= _FEW
    said = channels.description(panel, axis)
    mark = {
        "type": "line",
        "strokeWidth": 2,
        "strokeJoin": "round",
        "description": channels.description(panel, axis, of_each_mark=False),
        "point": {"size": 30, "description": said} if dots else False,
    }
    encoding = _encoding(panel, axis, legend)
    encoding["order"] = {"field": "n", "type": "quantitative"}
    if len(panel.traces) > 1:
        encoding["color"]["legend"] |= _STROKES
    if len(panel.traces) > len(style.PALETTE):
        encoding["strokeDash"] = channels.told_apart(panel, style.dashes(len(panel.traces)), legend)
        encoding["strokeDash"]["legend"] |= _STROKES
    return _view(panel, axis, mark, encoding)


def scatter(panel: Panel, axis: Axis, legend: str) -> View:
    encoding = _encoding(panel, axis, legend)
    if len(panel.traces) > 1:
        encoding["shape"] = channels.told_apart(panel, style.shapes(len(panel.traces)), legend)
    said = channels.description(panel, axis)
    mark = {"type": "point", "filled": True, "size": 36, "opacity": 0.75, "description": said}
    return _view(panel, axis, mark, encoding)


def _view(panel: Panel, axis: Axis, mark: Encoding, encoding: Encoding) -> View:
    rows = [
        channels.row(trace, number, mark) | {"x": mark.x}
        for trace in panel.traces
        for number, mark in enumerate(trace.marks)
    ]
    body: View = {"mark": mark, "encoding": encoding}
    if any(row["value"] is None for row in rows):
        body = {"layer": [body, _crosses(encoding, channels.description(panel, axis))]}
    return {"width": style.WIDTH, "height": _HEIGHT, "data": {"values": rows}, **body}


def _crosses(encoding: Encoding, said: Encoding) -> View:
    """Points without a place on the value axis, as crosses at the top."""
    return {
        "transform": [{"filter": "datum.value === null"}],
        "mark": {"type": "point", "shape": "cross", "angle": 45, "size": 70, "filled": True, "description": said},
        "encoding": {name: encoding[name] for name in ("x", "color", "tooltip")} | {"y": {"value": 0}},
    }


def _encoding(panel: Panel, axis: Axis, legend: str) -> Encoding:
    return {
        "x": _along(panel, axis),
        "y": channels.value(panel, zero=False),
        "color": channels.colour(panel, legend),
        "tooltip": channels.tooltip(panel, axis),
    }


def _along(panel: Panel, axis: Axis) -> Encoding:
    encoding: Encoding = {"field": "x", "type": str(axis.kind), "title": captions.cut(axis.title)}
    marks = [mark for trace in panel.traces for mark in trace.marks]
    if axis.kind is AxisKind.CATEGORY:
        names = {mark.place: mark.at for mark in marks}
        domain = [names[place] for place in sorted(names)]
        return encoding | {"scale": {"domain": domain}, "axis": {"labelAngle": 0, "labelLimit": 160}}
    places = [mark.place for mark in marks]
    if axis.clock is not None:
        return encoding | _times(axis.clock, min(places), max(places))
    whole = all(map(float.is_integer, places))
    return encoding | channels.numbers(scales.linear(places, _MOST_NUMBERS, whole=whole))


def _times(clock: LocalClock, start: float, end: float) -> Encoding:
    """An axis of instants, labelled by the caller's clock, whoever looks at it and wherever they are."""
    ticks = clock.ticks(start, end, _MOST_TIMES)
    first, last = (round(bound * 1000) for bound in milliseconds_around(start, end))
    domain = (first, last) if start < end else (first - _BESIDE, last + _BESIDE)
    values = ",".join(str(round(tick * 1000)) for tick in ticks)
    labels = ",".join(map(_label, clock.exact_labels(ticks)))
    shown = f"[{labels}][indexof([{values}],datum.value)]"
    # As an expression they stay numbers. Listed, Vega-Lite would make them dates, of which Vega draws one a second.
    return {"scale": {"type": "utc", "domain": domain}, "axis": {"values": {"expr": f"[{values}]"}, "labelExpr": shown}}


def _label(label: Label) -> str:
    return f"['{label.text}','{label.offset}']" if label.offset else f"'{label.text}'"
