"""Panels → a Vega-Lite v6 specification, its data inline."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Any

import msgspec

from service.charts import captions, columns_and_cells, lines_and_points, style
from service.charts.channels import View
from service.charts.legend import Legend, legends
from service.charts.panels import Axis, AxisKind, Caption, ChartType, Panel
from service.charts.safe_text import displayable, visible
from service.domain.errors import Fault, InvalidParameter

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
_MOST_PANELS = 8
_MOST_TRACES = 40
_DRAW: Mapping[ChartType, Callable[[Panel, Axis, Legend], View]] = {
    ChartType.LINE: lines_and_points.line,
    ChartType.SCATTER: lines_and_points.scatter,
    ChartType.COLUMN: columns_and_cells.columns,
    ChartType.BAR: columns_and_cells.bars,
    ChartType.HEATMAP: columns_and_cells.heatmap,
}
_POSSIBLE: Mapping[AxisKind, Sequence[ChartType]] = {
    AxisKind.NUMBER: tuple(ChartType),
    AxisKind.TIME: tuple(ChartType),
    AxisKind.CATEGORY: (ChartType.SCATTER, ChartType.COLUMN, ChartType.BAR, ChartType.HEATMAP),
}
_CHANNELS = ("color", "shape", "strokeDash", "opacity")
_VARIANTS: Mapping[ChartType, int] = {
    ChartType.LINE: len(style.DASHES),
    ChartType.SCATTER: len(style.SHAPES),
    ChartType.COLUMN: len(style.OPACITIES),
    ChartType.BAR: len(style.OPACITIES),
    ChartType.HEATMAP: style.MOST_TRACES,
}
"""Label sets that can be distinguished where colours distinguish the runs; a heat map has a row for each series."""


_NOTHING: Mapping[str, Any] = {}


def chart(
    panels: Sequence[Panel], axis: Axis, chart_type: ChartType, caption: Caption, *, chosen_by: str = "name"
) -> bytes:
    """The specification as JSON, one panel below the other.

    Raises ``InvalidParameter`` where the type does not suit the axis, or where there is too much to distinguish;
    ``chosen_by`` is the query parameter that selects less.
    """
    _check(panels, axis, chart_type, chosen_by)
    panels, axis, caption = displayable(panels, axis, caption)
    left_out = columns_and_cells.left_out(panels, chart_type)
    notes = [*caption.notes, *([] if left_out is None else [left_out])]
    found, shared = legends(panels, _VARIANTS[chart_type])
    shown = [_DRAW[chart_type](panel, axis, legend) for panel, legend in zip(panels, found, strict=True)]
    specification: dict[str, Any] = {
        "$schema": SCHEMA,
        "title": {"text": caption.title, "subtitle": captions.wrapped(notes)},
        "description": ". ".join([f"{chart_type.title()} chart: {caption.title}", *caption.facts]) + ".",
        "config": style.CONFIG,
        **_arranged(shown, shared=shared and chart_type is not ChartType.HEATMAP),
    }
    encoded = msgspec.json.encode(specification)
    if not _BEYOND_16_BITS.search(encoded):
        return encoded
    return msgspec.json.encode({**_unlimited(specification), "config": _unlimited(style.CONFIG, _LIMITS)})


_BEYOND_16_BITS = re.compile(b"[\xf0-\xf4]")
_LIMITS = {"axis": {"labelLimit": 0, "titleLimit": 0}, "legend": {"labelLimit": 0, "titleLimit": 0}}


def _unlimited(part: Mapping[str, Any], more: Mapping[str, Any] = _NOTHING) -> dict[str, Any]:
    """The specification without limits of text width: Vega would cut between the halves of a surrogate pair, and half a
    character cannot be drawn."""
    found: dict[str, Any] = {}
    for name, value in {**more, **part}.items():
        if name.endswith("Limit"):
            found[name] = 0
        elif name == "data":
            found[name] = value
        elif isinstance(value, Mapping):
            found[name] = _unlimited(value, more.get(name, _NOTHING))
        elif isinstance(value, list):
            found[name] = [_unlimited(each) if isinstance(each, Mapping) else each for each in value]
        else:
            found[name] = value
    return found


def _arranged(shown: Sequence[View], *, shared: bool) -> View:
    if not shown:
        return {
            "width": style.WIDTH,
            "height": 80,
            "data": {"values": [{}]},
            "mark": {"type": "text", "text": "No points"},
        }
    if len(shown) == 1:
        return shown[0]
    how = dict.fromkeys(_CHANNELS, "shared" if shared else "independent")
    return {"vconcat": shown, "spacing": 28, "resolve": {"scale": how, "legend": how}}


def _check(panels: Sequence[Panel], axis: Axis, chart_type: ChartType, chosen_by: str) -> None:
    if chart_type not in _POSSIBLE[axis.kind]:
        possible = ", ".join(_POSSIBLE[axis.kind])
        raise InvalidParameter([Fault("type", f"with {axis.parameter}={axis.asked} it can be {possible}")])
    check_room({panel.metric: len(panel.traces) for panel in panels}, chosen_by)


def check_room(traces: Mapping[str, int], chosen_by: str) -> None:
    """Raise ``InvalidParameter`` for more ``traces`` (their number by metric) than a chart can show."""
    if len(traces) > _MOST_PANELS:
        known = ", ".join(visible(captions.cut(metric)) for metric in islice(traces, 2 * _MOST_PANELS))
        detail = f"a chart shows up to {_MOST_PANELS} metrics, and there are more; choose by name among {known}"
        raise InvalidParameter([Fault(chosen_by, detail)])
    if sum(traces.values()) > _MOST_TRACES or any(count > style.MOST_TRACES for count in traces.values()):
        detail = f"a chart shows up to {style.MOST_TRACES} series of a metric and {_MOST_TRACES} in all; there are more"
        raise InvalidParameter([Fault(chosen_by, detail)])
