"""Several runs' series of one metric → a chart of how they compare."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec
from msgspec import Raw

from service.charts import captions, scales, specification
from service.charts.display import visible
from service.charts.model import Axis, AxisKind, Caption, ChartType, Mark, Panel, Trace
from service.charts.progress import Against, Drawing, axis_of, notes, off_scale, without_value
from service.domain import comparison, points
from service.domain.comparison import Compared
from service.domain.errors import Fault, InvalidParameter
from service.domain.series.census import Census, Needs
from service.domain.series.model import Series
from service.domain.timestamps import ZoneClock
from service.domain.zones import TimeZone

PARAMETER = "parameter:"
_NO_METRIC = "it has no such metric"
_Place = tuple[Raw, float, str]
"""Where a run stands on the axis: as a literal, as a number, in words."""
_SHORT = 8


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is to be drawn: ``metric`` of ``runs`` against ``against``, as the request has it.

    The runs need have no other series; ``names`` are those of all their metrics. ``missing`` are runs that could not
    be read, by id, and why.
    """

    runs: Sequence[Compared]
    metric: str
    against: str
    zone: TimeZone
    names: Callable[[], Collection[str]]
    missing: Mapping[str, str] = field(default_factory=dict)

    def chart(self, asked: ChartType | None) -> bytes:
        """A Vega-Lite v6 specification. Raises ``InvalidParameter`` where that cannot be drawn, saying what can."""
        told = self._told_apart()
        if not any(told):
            known = _there(self.names(), "no metric at all")
            raise InvalidParameter([Fault("metric", f"none of these runs has it; {known}")])
        if self.against in {Against.STEP, Against.TIME}:
            return self._progress(told, asked or ChartType.LINE)
        return self._outcome(told, asked or ChartType.COLUMN)

    def _told_apart(self) -> list[dict[str, Series]]:
        """Each run's series of the metric, by the labels that tell it from all others: by nothing, where all agree.

        The model is none of these where each run has but one: then the run tells it.
        """
        several = [
            {comparison.identity_of(one): one for one in run.series if _name(one) == self.metric} for run in self.runs
        ]
        otherwise = "without labels"
        if all(len({identity.model for identity in each}) <= 1 for each in several):
            otherwise = ""
            several = [{identity.without_model: one for identity, one in each.items()} for each in several]
        identities = list(dict.fromkeys(identity for each in several for identity in each))
        labels = [sorted(identity.labels) for identity in identities]
        names = captions.apart(captions.trace_names(labels, otherwise)) if len(labels) > 1 else [""] * len(labels)
        named = dict(zip(identities, names, strict=True))
        return [{named[identity]: series for identity, series in each.items()} for each in several]

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
            others = captions.enumerated(
                [other for other in (*Against, "run", f"{PARAMETER}<key>") if other != against]
            )
            raise InvalidParameter([Fault("against", drawing.why_empty(others))])
        axis = axis_of([panel], against, self.zone, "against")
        said = notes([series for _, series in pairs], drawing, against, "against")
        return self._drawn(panel, axis, asked, said, [None if each else _NO_METRIC for each in told], legend="Run")

    def _outcome(self, told: Sequence[dict[str, Series]], asked: ChartType) -> bytes:
        """The last value of each series against runs, or against a parameter of theirs."""
        places, axis = self._places()
        absent = [_absence(*each) for each in zip(self.runs, told, places, strict=True)]
        without = sum(_last(series) is None for several in told for series in several.values())
        legend = "Series"
        held = [place[1] for place, why in zip(places, absent, strict=True) if place is not None and why is None]
        if len(set(held)) == len(held):
            labels = dict.fromkeys(label for several in told for label in several)
            traces = [Trace(one or self.metric, _marks([each.get(one) for each in told], places)) for one in labels]
        else:  # runs that share a place stand side by side there
            legend = "Run"
            traces = [
                Trace(f"{name}, {label}" if label else name, _marks([series], [place]))
                for name, several, place in zip(self._names(), told, places, strict=True)
                for label, series in several.items()
            ]
        panel = Panel(self.metric, [trace for trace in traces if trace.marks])
        said = ["The last value of each run"]
        said += [without_value(without)] if without else []
        said += off_scale([mark.text for trace in panel.traces for mark in trace.marks if mark.value is None])
        return self._drawn(panel, axis, asked, said, absent, legend=legend)

    def _places(self) -> tuple[list[_Place | None], Axis]:
        """Where each run stands on the axis, and the axis."""
        if not self.against.startswith(PARAMETER):
            texts: list[str | None] = [*self._names()]
            return _categories(texts), Axis("Run", AxisKind.CATEGORY, "against", self.against)
        key = self.against.removeprefix(PARAMETER)
        given = {json.loads(one.key): one.values for one in comparison.parameters(self.runs)}
        if key not in given:
            known = _there(given, "none")
            raise InvalidParameter([Fault("against", f"none of these runs has this parameter; {known}")])
        texts = [json.loads(value) for value in given[key]]
        numbers = [_number(text) for text in texts if text is not None]
        if all(number is not None for number in numbers):
            placed = [None if text is None else (Raw(_plain(text)), float(text), text) for text in texts]
            return placed, Axis(key, AxisKind.NUMBER, "against", self.against)
        return _categories(texts), Axis(key, AxisKind.CATEGORY, "against", self.against)

    def _names(self) -> list[str]:
        """What each run is called: its configuration's name, where that tells it from the others, else its id."""
        named = [json.loads(run.details.run.configuration_name) for run in self.runs]
        cut = [captions.cut(name) for name in named if name is not None]
        if len(set(cut)) == len(named):
            return cut
        ids = [run.details.run.run_id for run in self.runs]
        short = [id_[:_SHORT] for id_ in ids]
        return short if len(set(short)) == len(short) else ids

    def _drawn(
        self,
        panel: Panel,
        axis: Axis,
        asked: ChartType,
        said: Sequence[str],
        absent: Sequence[str | None],
        *,
        legend: str,
    ) -> bytes:
        by = "run" if self.against == "run" else self.against.removeprefix(PARAMETER)
        count = sum(why is None for why in absent)
        runs = [run.details.run.run_id for run in self.runs]
        left = [f"{id_} ({why})" for id_, why in zip(runs, absent, strict=True) if why is not None]
        left += [f"{id_} ({why})" for id_, why in self.missing.items()]
        caption = Caption(
            f"{captions.cut(self.metric)} by {by}, {count} {'run' if count == 1 else 'runs'}",
            [*said, *([f"Not drawn: {', '.join(left)}"] if left else [])],
            legend,
            [f"Runs {captions.enumerated(runs)}"],
        )
        return specification.chart([panel], axis, asked, caption, chosen_by="metric")


def room_for(against: str) -> Census:
    """Ends the reading of one run's points with ``InvalidParameter`` where they have more series than a chart shows."""
    needs = Against(against).needs if against in {*Against} else Needs.NOTHING
    return Census(lambda counts: specification.check_room(counts, "metric"), needs)


def _there(names: Collection[str], otherwise: str) -> str:
    """``there is a``, ``there are a and b``: as many of the names as a message has room for."""
    known = [visible(captions.cut(name)) for name in sorted(names)[:20]]
    return f"there {'are' if len(known) > 1 else 'is'} {captions.enumerated(known) or otherwise}"


class _Value(msgspec.Struct):
    value: Raw


def _absence(run: Compared, several: Mapping[str, Series], place: _Place | None) -> str | None:
    """Why a run is not drawn."""
    if not several:
        return _NO_METRIC
    if all(_last(series) is None for series in several.values()):
        return "its last value cannot be read"
    if place is not None:
        return None
    return "its parameters cannot be read" if "parameters" in run.details.unavailable else "it has no such parameter"


def _name(series: Series) -> str:
    return comparison.identity_of(series).name


def _marks(several: Sequence[Series | None], places: Sequence[_Place | None]) -> list[Mark]:
    marks = []
    for place, series in zip(places, several, strict=True):
        last = None if series is None else _last(series)
        if place is not None and last is not None:
            marks.append(Mark(place[0], place[1], last[0], place[2], last[1]))
    return sorted(marks, key=lambda mark: mark.place)


def _last(series: Series) -> tuple[Raw | None, str] | None:
    """The last value as it is drawn and as its text; ``None`` where it could not be read."""
    value = msgspec.json.decode(series.last, type=_Value).value
    if bytes(value) == points.NULL:
        return None
    text = bytes(value).decode("ascii").strip('"')
    return (Raw(value) if scales.has_place(float(text)) else None), text


def _categories(texts: Sequence[str | None]) -> list[_Place | None]:
    order = {text: number for number, text in enumerate(dict.fromkeys(text for text in texts if text is not None))}
    return [
        None if text is None else (Raw(json.dumps(text).encode("ascii")), float(order[text]), text) for text in texts
    ]


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if scales.has_place(number) and text.isascii() and "_" not in text else None


def _plain(text: str) -> bytes:
    return json.dumps(float(text)).encode("ascii")
