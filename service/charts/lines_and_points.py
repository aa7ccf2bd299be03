"""Lines and scattered points: each mark is at its own place."""

from __future__ import annotations

from typing import Any

from service.charts import captions, channels, scales, style
from service.charts.channels import Encoding, View
from service.charts.legend import Legend
from service.charts.panels import Axis, AxisKind, Mark, Panel, Trace
from service.charts.time_axis import Label, LocalClock, milliseconds_around

_FEW = 60
"""Up to so many points, a line also has dots."""
_HEIGHT = 280
_MOST_NUMBERS, _MOST_TIMES = 8, (8, 5)
"""The most ticks of the axis; fewer where labels of times are long."""
_STROKES: Encoding = {"symbolType": "stroke", "symbolSize": 400, "symbolStrokeWidth": 2.5}
"""A legend shows lines as lines, 20 pixels long."""
_DOTS: Encoding = {"symbolSize": 70}
_BESIDE = 500
"""Milliseconds on each side of a single instant."""
_LINE: View = {"type": "line", "order": False, "strokeWidth": 2, "strokeJoin": "round", "strokeCap": "round"}
"""Drawn in the data's order; a point without neighbours is a dot."""
_FAINT: View = {"strokeWidth": 1.2, "opacity": 0.3}


def line(panel: Panel, axis: Axis, legend: Legend) -> View:
    smoothed = _is_smoothed(panel)
    encoding = _encoding(panel, axis) | {"color": legend.colour(**_STROKES)} | _parts(panel)
    dashes = legend.variant(style.DASHES, **_STROKES)
    if dashes is not None:
        encoding["strokeDash"] = dashes
    mark: View = {**_LINE, "description": channels.description(panel, axis, of_each_mark=False)}
    if smoothed:
        return _view(panel, axis, encoding, [_layer(mark | _FAINT, encoding), _mean(panel, mark, encoding)])
    layers = [_layer(mark, encoding)]
    said = channels.description(panel, axis)
    few = max(len(trace.marks) for trace in panel.traces) <= _FEW
    if few and dashes is None:
        mark["point"] = {"size": 30, "description": said}
    elif few:  # dots in a layer of their own have no dashes, and do not change the legend's strokes
        dots = {name: encoding[name] for name in encoding if name not in {"strokeDash", "detail"}}
        layers.append(_layer({"type": "point", "filled": True, "opacity": 1, "size": 30, "description": said}, dots))
    return _view(panel, axis, encoding, layers)


def scatter(panel: Panel, axis: Axis, legend: Legend) -> View:
    encoding = _encoding(panel, axis) | {"color": legend.colour(**_DOTS)}
    dots: Encoding = {**encoding}
    if (shapes := legend.variant(style.SHAPES, always=True, **_DOTS)) is not None:
        dots["shape"] = shapes
    said = channels.description(panel, axis)
    smoothed = _is_smoothed(panel)
    mark: View = {"type": "point", "filled": True, "size": 36, "opacity": 0.75, "description": said}
    layers = [_layer(mark | ({"size": 14, "opacity": 0.3} if smoothed else {}), dots)]
    if smoothed:
        layers.append(
            _mean(panel, {**_LINE, "description": channels.description(panel, axis, of_each_mark=False)}, encoding)
        )
    return _view(panel, axis, encoding, layers)


def _layer(mark: View, encoding: Encoding) -> View:
    return {"mark": mark, "encoding": encoding}


def _mean(panel: Panel, mark: View, encoding: Encoding) -> View:
    """The line through the moving means; its descriptions have the logged values."""
    means = {"y": channels.value(panel, zero=False, field="mean")}
    return _layer(mark | {"strokeWidth": 2.5}, encoding | means | _parts(panel))


def _parts(panel: Panel) -> Encoding:
    """The encoding of parts that lines do not join, where there are any."""
    parted = any(mark.part for mark in panel.marks)
    return {"detail": {"field": "part", "type": "nominal"}} if parted else {}


def _is_smoothed(panel: Panel) -> bool:
    return any(mark.mean is not None for mark in panel.marks)


def _view(panel: Panel, axis: Axis, encoding: Encoding, layers: list[View]) -> View:
    rows = [_row(trace, mark) for trace in panel.traces for mark in trace.marks]
    if any(row["value"] is None for row in rows):
        layers = [*layers, _crosses(encoding, channels.description(panel, axis))]
    body = layers[0] if len(layers) == 1 else {"layer": layers}
    return {"width": style.WIDTH, "height": _HEIGHT, "data": {"values": rows}, **body}


def _row(trace: Trace, mark: Mark) -> dict[str, Any]:
    row = channels.row(trace, mark) | {"x": channels.drawn(mark.x)}
    if mark.mean is not None:
        row["mean"] = mark.mean
    if mark.part:
        row["part"] = mark.part
    return row


def _crosses(encoding: Encoding, said: Encoding) -> View:
    """Points that the value axis cannot show, as crosses at the top."""
    return {
        "transform": [{"filter": "datum.value === null"}],
        "mark": {"type": "point", "shape": "cross", "angle": 45, "size": 70, "filled": True, "description": said},
        "encoding": {name: encoding[name] for name in ("x", "color", "tooltip")} | {"y": {"value": 0}},
    }


def _encoding(panel: Panel, axis: Axis) -> Encoding:
    return {
        "x": _along(panel, axis),
        "y": channels.value(panel, zero=False),
        "tooltip": channels.tooltip(panel, axis),
    }


def _along(panel: Panel, axis: Axis) -> Encoding:
    encoding: Encoding = {"field": "x", "type": str(axis.kind), "title": captions.cut(axis.title)}
    if axis.kind is AxisKind.CATEGORY:
        names = {mark.place: mark.at for mark in panel.marks}
        domain = [names[place] for place in sorted(names)]
        return encoding | {"scale": {"domain": domain}, "axis": channels.categories(domain)}
    places = [mark.place for mark in panel.marks]
    if axis.clock is not None:
        return encoding | _times(axis.clock, min(places), max(places))
    whole = axis.unit == 1.0 and all(map(float.is_integer, places))
    scale = scales.linear([place / axis.unit for place in places], _MOST_NUMBERS, whole=whole)
    written = () if axis.unit_name else ((mark.place, mark.at) for mark in panel.marks)
    return encoding | channels.numbers(scale, axis.unit, written=written)


def _times(clock: LocalClock, start: float, end: float) -> Encoding:
    """An axis of instants, labelled in the caller's time zone, whatever the viewer's."""
    ticks, exact = _ticks(clock, start, end)
    first, last = (round(bound * 1000) for bound in milliseconds_around(start, end))
    beside = 0 if start < end else _BESIDE
    values = ",".join(str(round(tick * 1000)) for tick in ticks)
    labels = ",".join(map(_label, exact))
    shown = f"[{labels}][indexof([{values}],datum.value)]"
    # In expressions they stay numbers. Vega-Lite would turn a list into dates: Vega draws ticks once a second then, and
    # Vega's interpreter takes the only argument of a date for its year.
    domain = {"expr": f"[{first - beside},{last + beside}]"}
    return {"scale": {"type": "utc", "domain": domain}, "axis": {"values": {"expr": f"[{values}]"}, "labelExpr": shown}}


def _ticks(clock: LocalClock, start: float, end: float) -> tuple[list[float], list[Label]]:
    """Ticks and their labels, as many as fit beside each other."""
    ticks: list[float] = []
    labels: list[Label] = []
    for most in _MOST_TIMES:
        ticks = clock.ticks(start, end, most)
        labels = clock.exact_labels(ticks)
        if channels.fit([part for label in labels for part in (label.text, label.offset)], len(ticks)):
            break
    return ticks, labels


def _label(label: Label) -> str:
    return f"['{label.text}','{label.offset}']" if label.offset else f"'{label.text}'"
