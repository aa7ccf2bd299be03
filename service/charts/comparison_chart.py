"""Several runs' series of some metrics → a chart that compares them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import chain

import msgspec
from msgspec import Raw

from service.charts import captions, scales, specification
from service.charts.notes import notes, of_values
from service.charts.panels import Axis, AxisKind, Caption, ChartType, Mark, Panel, Trace, ValueScale
from service.charts.safe_text import visible
from service.charts.traces import Drawing
from service.charts.x_axis import Against, ChartOptions, axis_of, instant, words
from service.concurrency.decoders import json_decoder
from service.domain import comparison, points
from service.domain.comparison import Compared, Identity
from service.domain.errors import Fault, InvalidParameter
from service.domain.series.reasons import DRAWN, Reason, of_value
from service.domain.series.series import Series
from service.domain.series.series_counter import Needs, SeriesCounter
from service.domain.timestamps import ZoneClock
from service.domain.zones import TimeZone

PARAMETER = "parameter:"
_NO_METRIC = "it has no such metric"
_NO_START = "it has no start time"
_Place = tuple[Raw, float, str]
"""The place of a run on the axis: as a literal, as a number, in words."""
_SHORT = 8
"""The most characters of an id."""
_LONGEST_PART, _LONGEST_NAME = 24, 54
"""The most characters of one difference, and of all together."""


_BySeries = dict[str, Series]
"""The series of one run and metric, by their distinguishing labels."""


class Comparison(msgspec.Struct, frozen=True):
    """The chart to draw: ``metrics`` of ``runs``, a panel each, against ``against``, as in the request.

    The runs need no other series; ``names`` are those of all their metrics. ``missing`` has the runs that could not be
    read, by id, with the reason. ``filtered`` is whether points were selected by more than metrics.
    """

    runs: Sequence[Compared]
    metrics: Sequence[str]
    against: str
    zone: TimeZone
    names: Callable[[], Collection[str]]
    missing: Mapping[str, str] = msgspec.field(default_factory=dict)
    scale: ValueScale = ValueScale.LINEAR
    smooth: float = 0.0
    filtered: bool = False

    def chart(self, asked: ChartType | None) -> bytes:
        """A Vega-Lite v6 specification. Raises ``InvalidParameter`` where nothing can be drawn; its message says what
        can."""
        by_metric = self._by_distinguishing_labels()
        if not any(any(several) for several in by_metric.values()):
            names = self.names()
            if self.filtered and not {*names}.isdisjoint(self.metrics):
                raise InvalidParameter([Fault("metric", "no point of it matches the filters")])
            raise InvalidParameter([Fault("metric", f"none of these runs has it; {_there(names, 'no metric at all')}")])
        if self.against in {*Against}:
            return self._progress(by_metric, asked or ChartType.LINE)
        return self._outcome(by_metric, asked or ChartType.COLUMN)

    def _by_distinguishing_labels(self) -> dict[str, list[_BySeries]]:
        """Each run's series of each metric, by the labels that distinguish it; by none where all have the same labels.

        The model is not among them where each run has only one: then the run implies it.
        """
        found = [{comparison.identity_of(one): one for one in run.series} for run in self.runs]
        if not any(_has_several_models(each) for each in found):
            found = [{identity.without_model: one for identity, one in each.items()} for each in found]
        sets = list(dict.fromkeys(identity.labels for each in found for identity in each))
        names = captions.apart(captions.trace_names([sorted(one) for one in sets], captions.WITHOUT_LABELS))
        named = dict(zip(sets, names if len(sets) > 1 else [""], strict=False))
        return {
            metric: [
                {named[identity.labels]: one for identity, one in each.items() if identity.name == metric}
                for each in found
            ]
            for metric in self.metrics
        }

    def _progress(self, by_metric: Mapping[str, Sequence[_BySeries]], asked: ChartType) -> bytes:
        """How the metrics progressed in each run."""
        against = Against(self.against)
        drawing = Drawing(ChartOptions(against, self.scale, self.smooth), ZoneClock(self.zone))
        starts = [instant(run.details.run.start_time) for run in self.runs]
        without_start = [start is None and against is Against.ELAPSED for start in starts]
        panels = []
        names = self._names()
        drawn: list[Series] = []
        for metric, by_run in by_metric.items():
            traces = []
            for name, several, start, lacks in zip(names, by_run, starts, without_start, strict=True):
                for labels, series in {} if lacks else several.items():
                    full = f"{name}, {labels}" if labels else name
                    traces.append(Trace(full, drawing.marks(series, start), name, labels))
                    drawn.append(series)
            panels.append(Panel(metric, [trace for trace in traces if trace.marks], self.scale))
        panels = [panel for panel in panels if panel.traces]
        fault = None if panels else self._why_empty(drawing, against, all(without_start))
        if fault is not None:
            raise InvalidParameter([fault])
        absent = [
            _NO_METRIC if not any(by_run[number] for by_run in by_metric.values()) else _NO_START if lacks else None
            for number, lacks in enumerate(without_start)
        ]
        said = notes(drawn, drawing, asked, "against")
        return self._chart(panels, axis_of(panels, against, self.zone, "against"), asked, said, absent)

    def _why_empty(self, drawing: Drawing, against: Against, without_start: bool) -> Fault | None:
        others = [str(other) for other in (*Against, "run", f"{PARAMETER}<key>") if other != against]
        if without_start:
            known = captions.enumerated(others)
            return Fault("against", f"none of these runs has a start time to count from; available: {known}")
        return drawing.why_empty("against", others)

    def _outcome(self, by_metric: Mapping[str, Sequence[_BySeries]], asked: ChartType) -> bytes:
        """The last value of each series against runs, or against a parameter of theirs."""
        places, axis = self._places()
        by_run = [
            [one for several in each for one in several.values()] for each in zip(*by_metric.values(), strict=True)
        ]
        absent = [_absence(*each) for each in zip(self.runs, by_run, places, strict=True)]
        held = [place[1] for place, why in zip(places, absent, strict=True) if place is not None and why is None]
        share_places = len(set(held)) < len(held)
        names = self._names() if share_places else []
        panels = []
        for metric, by_run_labels in by_metric.items():
            if share_places:  # side by side there
                traces = [
                    Trace(f"{name}, {label}" if label else name, self._marks([series], [place]))
                    for name, several, place in zip(names, by_run_labels, places, strict=True)
                    for label, series in several.items()
                ]
            else:
                labels = dict.fromkeys(label for several in by_run_labels for label in several)
                traces = [
                    Trace(one or metric, self._marks([each.get(one) for each in by_run_labels], places))
                    for one in labels
                ]
            panels.append(Panel(metric, [trace for trace in traces if trace.marks], self.scale))
        panels = [panel for panel in panels if panel.traces]
        placed = [several for several, place in zip(by_run, places, strict=True) if place is not None]
        counts = Counter(self._reason(series) for several in placed for series in several)
        return self._chart(panels, axis, asked, ["The last value of each run", *of_values(counts)], absent)

    def _marks(self, several: Sequence[Series | None], places: Sequence[_Place | None]) -> list[Mark]:
        """The marks of the last values that can be drawn, along the axis."""
        marks = []
        for place, series in zip(places, several, strict=True):
            if place is not None and series is not None and self._reason(series) in DRAWN:
                text = _last(series).decode("ascii").strip('"')
                value = Raw(_last(series)) if scales.has_place(float(text)) else None
                marks.append(Mark(place[0], place[1], value, place[2], text))
        return sorted(marks, key=lambda mark: mark.place)

    def _reason(self, series: Series) -> Reason:
        """Why the last value of a series is not drawn."""
        return of_value(_last(series), positive=self.scale is ValueScale.LOG)

    def _places(self) -> tuple[list[_Place | None], Axis]:
        """The place of each run on the axis, and the axis."""
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
        """A name for each run: its configuration and parameters, where they differ, then its short id."""
        configurations = [json.loads(run.details.run.configuration_name) for run in self.runs]
        differing = [one for one in comparison.parameters(self.runs) if one.differs]
        names = []
        several = len(set(configurations)) > 1
        for number, (configuration, id_) in enumerate(zip(configurations, self._ids(), strict=True)):
            says_more = several and configuration not in {None, self.runs[number].details.run.run_id}
            parts = [captions.cut(configuration, _LONGEST_PART)] if says_more else []
            given = ((json.loads(one.key), json.loads(one.values[number])) for one in differing)
            more = (captions.cut(f"{key}={value}", _LONGEST_PART) for key, value in given if value is not None)
            differs = captions.fitting(chain(parts, more), _LONGEST_NAME)
            names.append(f"{differs}{captions.SEPARATOR}{id_}" if differs else id_)
        return names

    def _ids(self) -> list[str]:
        """The runs' ids, shortened where they stay unique."""
        ids = [run.details.run.run_id for run in self.runs]
        short = [id_[:_SHORT] for id_ in ids]
        return short if len(set(short)) == len(short) else ids

    def _chart(
        self, panels: Sequence[Panel], axis: Axis, asked: ChartType, said: Sequence[str], absent: Sequence[str | None]
    ) -> bytes:
        by = words(Against(self.against)) if self.against in {*Against} else self.against.removeprefix(PARAMETER)
        count = sum(why is None for why in absent)
        runs = [run.details.run.run_id for run in self.runs]
        left = [f"{id_} ({why})" for id_, why in zip(runs, absent, strict=True) if why is not None]
        left += [f"{id_} ({why})" for id_, why in self.missing.items()]
        lacking = [captions.cut(one) for one in self.metrics if one not in {panel.metric for panel in panels}]
        more = [f"Without a point to draw: {captions.enumerated(lacking)}"] if lacking and panels else []
        more += [f"Not drawn: {', '.join(left)}"] if left else []
        caption = Caption(
            f"{captions.named(self.metrics)} by {captions.cut(by)}, {count} {'run' if count == 1 else 'runs'}",
            [*said, *more],
            [f"Runs {captions.enumerated(runs)}"],
        )
        return specification.chart(panels, axis, asked, caption, chosen_by="metric")


def room_for(against: str) -> SeriesCounter:
    """A counter that raises ``InvalidParameter`` where one run's points have more series than a chart can show."""
    needs = Against(against).needs if against in {*Against} else Needs.NOTHING
    return SeriesCounter(lambda counts: specification.check_room(counts, "metric"), needs)


def _there(names: Collection[str], otherwise: str) -> str:
    """``there is a``, ``there are a and b``, with as many of the names as fit a message."""
    known = [visible(captions.cut(name)) for name in sorted(names)[:20]]
    return f"there {'are' if len(known) > 1 else 'is'} {captions.enumerated(known) or otherwise}"


class _Value(msgspec.Struct):
    value: Raw


def _has_several_models(series: Collection[Identity]) -> bool:
    """Whether a run has metrics of several models."""
    models: dict[str, set[str | None]] = {}
    for identity in series:
        models.setdefault(identity.name, set()).add(identity.model)
    return any(len(each) > 1 for each in models.values())


def _absence(run: Compared, several: Sequence[Series], place: _Place | None) -> str | None:
    """Why a run is not drawn."""
    if not several:
        return _NO_METRIC
    if all(_last(series) == points.NULL for series in several):
        return "its last value cannot be read"
    if place is not None:
        return None
    return "its parameters cannot be read" if "parameters" in run.details.unavailable else "it has no such parameter"


def _last(series: Series) -> bytes:
    """The literal of the last value."""
    return bytes(json_decoder(_Value).decode(series.last).value)


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
