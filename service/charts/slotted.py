"""Columns, bars and heat maps: marks stand side by side, in slots."""

from __future__ import annotations

from collections.abc import Sequence

from service.charts import captions, channels, style
from service.charts.channels import Encoding, View
from service.charts.model import SLOTTED, Axis, ChartType, Panel
from service.charts.slots import slots

_COLUMNS, _BARS, _CELLS = 96, 48, 128
_LEAST_COLUMNS = 8
_WIDEST = 80
"""Pixels of a column, where there are few."""
_MOST_HEATS = 4
"""Labels beside the colours of a heat map."""
_UPRIGHT = 4
"""Up to so many characters, labels below columns stand upright, and where all have room side by side."""
_CHARACTER = 8
"""Pixels of a label's character and of what must be free beside it, at most."""


def columns(panel: Panel, axis: Axis, legend: str) -> View:
    drawn = _Slotted(panel, axis, _room(panel, ChartType.COLUMN))
    room = style.WIDTH / len(drawn.labels) / len(panel.traces)
    mark = {"type": "bar"} | ({"width": _WIDEST} if room > _WIDEST else {})
    return drawn.view(mark, 300, drawn.beside("x", "y", legend))


def bars(panel: Panel, axis: Axis, legend: str) -> View:
    drawn = _Slotted(panel, axis, _room(panel, ChartType.BAR))
    height = len(drawn.labels) * max(16, 7 * len(panel.traces))
    return drawn.view({"type": "bar"}, max(80, height), drawn.beside("y", "x", legend))


def heatmap(panel: Panel, axis: Axis, legend: str) -> View:
    drawn = _Slotted(panel, axis, _room(panel, ChartType.HEATMAP))
    alone = len(panel.traces) == 1
    rows = {
        "field": "series",
        "type": "nominal",
        "scale": {"domain": channels.names(panel)},
        "title": None if alone else legend,
        "axis": {"labelLimit": 220, "labels": not alone, "ticks": not alone, "domain": not alone},
    }
    scale = channels.scale(panel, _MOST_HEATS, nice=False)
    heat = {
        "field": "value",
        "type": "quantitative",
        "scale": {"scheme": style.HEAT, "domain": scale.domain, "zero": False, "nice": False},
        "legend": {
            "title": channels.title(panel),
            "titleLimit": 220,
            "gradientLength": 100,
            "values": scale.ticks,
            "format": scale.format,
        },
    }
    encoding = {"x": drawn.along("x"), "y": rows, "color": heat, "tooltip": channels.tooltip(panel, axis)}
    return drawn.view({"type": "rect"}, max(100, 30 * len(panel.traces)), encoding)


def left_out(panels: Sequence[Panel], chart_type: ChartType) -> str | None:
    """What is to be said where a slot holds several marks of a trace, of which the last is drawn."""
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
    """A panel's marks, at most one a slot and trace."""

    def __init__(self, panel: Panel, axis: Axis, at_most: int) -> None:
        self._panel = panel
        self._axis = axis
        self._slots = slots(panel.traces, at_most)
        self._traces = [self._slots.thin(trace) for trace in panel.traces]
        self.labels = self._named()

    def view(self, mark: View, height: int, encoding: Encoding) -> View:
        rows = [
            channels.row(trace, number, mark) | {"slot": self.labels[self._slots.number(mark.place)]}
            for trace in self._traces
            for number, mark in enumerate(trace.marks)
        ]
        size = {"width": style.WIDTH, "height": height}
        said = channels.description(self._panel, self._axis)
        return {**size, "data": {"values": rows}, "mark": mark | {"description": said}, "encoding": encoding}

    def beside(self, along: str, across: str, legend: str) -> Encoding:
        """Slots in direction ``along``, the traces side by side in each; values ``across``."""
        encoding = {
            along: self.along(along),
            across: channels.value(self._panel, zero=True),
            "color": channels.colour(self._panel, legend),
            "tooltip": channels.tooltip(self._panel, self._axis),
        }
        if len(self._traces) > 1:
            domain = channels.names(self._panel)
            encoding[f"{along}Offset"] = {"field": "series", "type": "nominal", "scale": {"domain": domain}}
        return encoding

    def along(self, direction: str) -> Encoding:
        labels = list(self.labels.values())
        longest = max(map(len, labels))
        fits = longest <= _UPRIGHT or longest * len(labels) * _CHARACTER <= style.WIDTH
        upright = direction == "y" or fits
        return {
            "field": "slot",
            "type": "ordinal",
            "scale": {"domain": labels},
            "title": captions.cut(self._axis.title),
            "axis": {"labelAngle": 0 if upright else -45, "labelLimit": 160},
        }

    def _named(self) -> dict[float, str]:
        """A label for each slot, no two alike: Vega-Lite would stack what they hold."""
        numbers = self._slots.numbers(self._traces)
        begins = [self._slots.bounds(number)[0] for number in numbers]
        if self._axis.clock is not None:
            return dict(zip(numbers, self._axis.clock.short_labels(begins), strict=True))
        if self._slots.width is not None:
            return {number: _stretch(*self._slots.bounds(number)) for number in numbers}
        at = {mark.place: mark.at for trace in self._traces for mark in trace.marks}
        return {number: at[number] for number in numbers}


def _stretch(begin: float, end: float) -> str:
    whole = begin.is_integer() and end.is_integer()
    return f"{begin:.0f}–{end - 1:.0f}" if whole else f"{begin:.6g}–{end:.6g}"
