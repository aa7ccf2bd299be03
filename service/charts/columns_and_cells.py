"""Columns, bars and heat maps: marks side by side, in slots."""

from __future__ import annotations

from collections.abc import Sequence

from service.charts import captions, channels, style
from service.charts.channels import Encoding, View
from service.charts.legend import Legend
from service.charts.panels import SLOTTED, Axis, AxisKind, ChartType, Panel
from service.charts.slots import slots

_COLUMNS, _BARS, _CELLS = 80, 40, 104
_LEAST_COLUMNS = 8
_WIDEST = 80
"""The widest column, in pixels."""
_FILLED = 0.7
"""The least share of the axis that columns take without the space between them."""
_ROW, _LINE = 180, 16
"""The longest line of the name of a row of a heat map, and a line's height, in pixels."""
_MOST_HEATS = 4
"""The most labels of the colours of a heat map."""


def columns(panel: Panel, axis: Axis, legend: Legend) -> View:
    drawn = _Slotted(panel, axis, _room(panel, ChartType.COLUMN))
    room = _FILLED * style.WIDTH / len(drawn.labels) / len(panel.traces)
    mark = {"type": "bar"} | ({"width": _WIDEST} if room > _WIDEST else {})
    return drawn.view(mark, 300, drawn.beside("x", "y", legend))


def bars(panel: Panel, axis: Axis, legend: Legend) -> View:
    drawn = _Slotted(panel, axis, _room(panel, ChartType.BAR))
    height = len(drawn.labels) * max(16, 7 * len(panel.traces))
    return drawn.view({"type": "bar"}, max(80, height), drawn.beside("y", "x", legend))


def heatmap(panel: Panel, axis: Axis, legend: Legend) -> View:
    drawn = _Slotted(panel, axis, _room(panel, ChartType.HEATMAP))
    alone = len(panel.traces) == 1
    lines = max(len(captions.PARTS.split(name)) for name in channels.names(panel))
    centred = {"labelLineHeight": _LINE, "labelOffset": (1 - lines) * _LINE / 2}
    rows = {
        "field": "series",
        "type": "nominal",
        "scale": {"domain": channels.names(panel)},
        "title": None,
        "axis": {"labels": not alone, "ticks": False, "domain": False, **centred, **channels.lines(_ROW)},
    }
    scale = channels.scale(panel, _MOST_HEATS, nice=False)
    ticks = channels.numbers(scale, written=channels.values(panel))["axis"]
    heat = {
        "field": "value",
        "type": "quantitative",
        "scale": {"scheme": style.HEAT, "domain": scale.domain, "nice": False, **channels.scale_type(panel)},
        "legend": {
            "title": channels.title(panel),
            "titleLimit": 220,
            "titleOrient": "top",
            "gradientLength": 240,
            **ticks,
        },
    }
    encoding = {"x": drawn.along("x"), "y": rows, "color": heat, "tooltip": channels.tooltip(panel, axis)}
    cells = len(drawn.labels)
    width = style.WIDTH // cells * cells  # whole pixels for each cell, so that there are no seams
    height = max(30, 8 + lines * _LINE)
    return drawn.view({"type": "rect"}, max(100, height * len(panel.traces)), encoding, width)


def left_out(panels: Sequence[Panel], chart_type: ChartType) -> str | None:
    """A note where a slot has several marks of a trace, of which only the last is drawn."""
    if chart_type not in SLOTTED:
        return None
    made = [(panel, slots(panel.traces, _room(panel, chart_type))) for panel in panels]
    given = sum(len(trace.marks) for panel in panels for trace in panel.traces)
    drawn = sum(len(of.thin(trace).marks) for panel, of in made for trace in panel.traces)
    where = "stretch" if any(of.width is not None for _, of in made) else "place"
    return None if drawn == given else f"{drawn:,} of these {given:,} drawn: the last at each {where} of the axis"


def _room(panel: Panel, chart_type: ChartType) -> int:
    if chart_type is ChartType.COLUMN:
        return max(_LEAST_COLUMNS, _COLUMNS // len(panel.traces))
    return _BARS if chart_type is ChartType.BAR else _CELLS


class _Slotted:
    """A panel's marks, at most one for each slot and trace."""

    def __init__(self, panel: Panel, axis: Axis, at_most: int) -> None:
        self._panel = panel
        self._axis = axis
        self._slots = slots(panel.traces, at_most)
        self._traces = [self._slots.thin(trace) for trace in panel.traces]
        self.labels = self._named()

    def view(self, mark: View, height: int, encoding: Encoding, width: int = style.WIDTH) -> View:
        rows = [
            channels.row(trace, mark) | {"slot": self.labels[self._slots.number(mark.place)]}
            for trace in self._traces
            for mark in trace.marks
        ]
        size = {"width": width, "height": height}
        said = channels.description(self._panel, self._axis)
        return {**size, "data": {"values": rows}, "mark": mark | {"description": said}, "encoding": encoding}

    def beside(self, along: str, across: str, legend: Legend) -> Encoding:
        """The encoding of slots ``along``, with the traces side by side in each, and values ``across``."""
        encoding = {
            along: self.along(along),
            across: channels.value(self._panel, zero=True) | {"stack": None},
            "color": legend.colour(),
            "tooltip": channels.tooltip(self._panel, self._axis),
        }
        if (shades := legend.variant(style.OPACITIES)) is not None:
            encoding["opacity"] = shades | {"type": "ordinal"}  # Vega-Lite warns of shades without an order
        if len(self._traces) > 1:
            domain = channels.names(self._panel)
            encoding[f"{along}Offset"] = {"field": "series", "type": "nominal", "scale": {"domain": domain}}
        return encoding

    def along(self, direction: str) -> Encoding:
        labels = list(self.labels.values())
        upright = {"labelAngle": 0, "labelLimit": 160}
        categories = self._axis.kind is AxisKind.CATEGORY
        return {
            "field": "slot",
            "type": "ordinal",
            "scale": {"domain": labels},
            "title": None if self._axis.asked == "run" else captions.cut(self._axis.title),
            "axis": channels.categories(labels) if categories and direction == "x" else upright,
        }

    def _named(self) -> dict[float, str]:
        """A unique label for each slot: Vega-Lite would stack the marks of equal ones."""
        numbers = self._slots.numbers(self._traces)
        begins = [self._slots.bounds(number)[0] for number in numbers]
        if self._axis.clock is not None:
            exact = self._slots.width is None  # then these are instants of points, otherwise of stretches
            return dict(zip(numbers, self._axis.clock.distinct_labels(begins, exact=exact), strict=True))
        unit = self._axis.unit
        if self._slots.width is not None:
            stretches = [_stretch(*(bound / unit for bound in self._slots.bounds(number))) for number in numbers]
            return dict(zip(numbers, captions.apart(stretches), strict=True))
        if self._axis.unit_name:
            return dict(zip(numbers, captions.apart([f"{number / unit:.6g}" for number in numbers]), strict=True))
        at = {mark.place: mark.at for trace in self._traces for mark in trace.marks}
        return {number: at[number] for number in numbers}


def _stretch(begin: float, end: float) -> str:
    whole = begin.is_integer() and end.is_integer()
    return f"{begin:.0f}–{end - 1:.0f}" if whole else f"{begin:.6g}–{end:.6g}"
