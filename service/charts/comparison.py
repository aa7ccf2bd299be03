"""Several runs' series of one metric → a chart of how they compare."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
from msgspec import Raw

from service.charts import captions, specification
from service.charts.model import Axis, AxisKind, Caption, ChartType, Mark, Panel, Trace
from service.charts.progress import Against, Drawing, axis_of, notes
from service.domain import comparison
from service.domain.comparison import Compared
from service.domain.errors import Fault, InvalidParameter
from service.domain.series.model import Series
from service.domain.timestamps import ZoneClock
from service.domain.zones import TimeZone

PARAMETER = "parameter:"
_SHORT = 8


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is to be drawn: ``metric`` of ``runs`` against ``against``, as the request has it."""

    runs: Sequence[Compared]
    metric: str
    against: str
    zone: TimeZone

    def chart(self, asked: ChartType | None) -> bytes:
        """A Vega-Lite v6 specification. Raises ``InvalidParameter`` where that cannot be drawn, saying what can."""
        told = [_told_apart(run, self.metric) for run in self.runs]
        if not any(told):
            names = sorted({comparison.identity_of(series).name for run in self.runs for series in run.series})
            known = captions.enumerated(names[:20]) or "no metric at all"
            raise InvalidParameter([Fault("metric", f"none of these runs has it; there is {known}")])
        if self.against in {Against.STEP, Against.TIME}:
            return self._progress(told, asked or ChartType.LINE)
        return self._outcome(told, asked or ChartType.COLUMN)

    def _progress(self, told: Sequence[dict[str, Series]], asked: ChartType) -> bytes:
        against = Against(self.against)
        drawing = Drawing(against, ZoneClock(self.zone))
        pairs = [
            (f"{run}, {labels}" if labels else run, series)
            for run, several in zip(self._names(), told, strict=True)
            for labels, series in several.items()
        ]
        traces = [Trace(name, drawing.marks(series)) for name, series in pairs]
        panel = Panel(self.metric, [trace for trace in traces if trace.marks])
        if not panel.traces:
            raise InvalidParameter([Fault("against", f"none of these points has a {against.lacks}")])
        shown = [series for _, series in pairs]
        axis = axis_of([panel], against, self.zone, "against")
        return self._drawn(panel, axis, asked, notes(shown, drawing, against))

    def _outcome(self, told: Sequence[dict[str, Series]], asked: ChartType) -> bytes:
        """The last value of each series against runs, or against a parameter of theirs."""
        places, axis = self._places()
        labels = dict.fromkeys(label for several in told for label in several)
        traces = [Trace(label or self.metric, _marks([each.get(label) for each in told], places)) for label in labels]
        return self._drawn(Panel(self.metric, traces), axis, asked, ["The last value of each run"])

    def _places(self) -> tuple[list[tuple[Raw, float, str] | None], Axis]:
        """Where each run stands on the axis (literal, as a number, in words), and the axis."""
        if not self.against.startswith(PARAMETER):
            texts: list[str | None] = [*self._names()]
            return _categories(texts), Axis("Run", AxisKind.CATEGORY, "against", self.against)
        key = self.against.removeprefix(PARAMETER)
        given = {json.loads(one.key): one.values for one in comparison.parameters(self.runs)}
        if key not in given:
            known = captions.enumerated(sorted(given)[:20]) or "none"
            raise InvalidParameter([Fault("against", f"none of these runs has this parameter; there is {known}")])
        texts = [json.loads(value) for value in given[key]]
        numbers = [_number(text) for text in texts if text is not None]
        if all(number is not None for number in numbers):
            placed = [None if text is None else (Raw(_plain(text)), float(text), text) for text in texts]
            return placed, Axis(key, AxisKind.NUMBER, "against", self.against)
        return _categories(texts), Axis(key, AxisKind.CATEGORY, "against", self.against)

    def _names(self) -> list[str]:
        """What each run is called: its configuration's name, where that tells it from the others, else its id."""
        named = [json.loads(run.details.run.configuration_name) for run in self.runs]
        if len({*named} - {None}) == len(named):
            return [captions.cut(name) for name in named]
        ids = [run.details.run.run_id for run in self.runs]
        short = [id_[:_SHORT] for id_ in ids]
        return short if len(set(short)) == len(short) else ids

    def _drawn(self, panel: Panel, axis: Axis, asked: ChartType, said: Sequence[str]) -> bytes:
        by = "run" if self.against == "run" else self.against.removeprefix(PARAMETER)
        ids = captions.enumerated([run.details.run.run_id for run in self.runs])
        legend = "Run" if self.against in {Against.STEP, Against.TIME} else "Series"
        caption = Caption(f"{captions.cut(self.metric)} by {by}, {len(self.runs)} runs", said, legend, [f"Runs {ids}"])
        return specification.chart([panel], axis, asked, caption)


class _Value(msgspec.Struct):
    value: Raw


def _told_apart(run: Compared, metric: str) -> dict[str, Series]:
    """A run's series of one metric, by the labels that tell them from each other: by nothing, where there is one."""
    several = [series for series in run.series if comparison.identity_of(series).name == metric]
    labels = [sorted(comparison.identity_of(series).labels) for series in several]
    names = captions.trace_names(labels, "without labels") if len(several) > 1 else [""] * len(several)
    return dict(zip(names, several, strict=True))


def _marks(several: Sequence[Series | None], places: Sequence[tuple[Raw, float, str] | None]) -> list[Mark]:
    marks = []
    for place, series in zip(places, several, strict=True):
        if place is not None and series is not None:
            literal, told = _last(series)
            marks.append(Mark(place[0], place[1], literal, place[2], told))
    return sorted(marks, key=lambda mark: mark.place)


def _last(series: Series) -> tuple[Raw | None, str]:
    value = msgspec.json.decode(series.last, type=_Value).value
    told = bytes(value).decode("ascii").strip('"')
    return (Raw(value) if math.isfinite(float(told)) else None), told


def _categories(texts: Sequence[str | None]) -> list[tuple[Raw, float, str] | None]:
    order = {text: number for number, text in enumerate(dict.fromkeys(text for text in texts if text is not None))}
    return [
        None if text is None else (Raw(json.dumps(text).encode("ascii")), float(order[text]), text) for text in texts
    ]


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) and text.isascii() and "_" not in text else None


def _plain(text: str) -> bytes:
    return json.dumps(float(text)).encode("ascii")
