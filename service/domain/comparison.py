"""Comparison of runs: parameters, aggregated metrics, models, joined series."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import compress
from typing import Generic, NamedTuple, TypeVar

import msgspec
from msgspec import Raw

from service.concurrency.decoders import json_decoder
from service.concurrency.time_limit import checkpoint
from service.domain import decimals, points
from service.domain.merge_sort import places_of_integers
from service.domain.metrics import READABLE, Unreadable
from service.domain.points import NameValue
from service.domain.runs import RunDetails
from service.domain.series import joined_summary
from service.domain.series.series import Series
from service.domain.series.summary import Summary

MODEL_LABEL = "metrics.ai.sap.com/Artifact.name"
"""The label with the model of a metric (AI API)."""
_STEPS_AT_ONCE = 10_000


class Compared(msgspec.Struct, frozen=True):
    """One run of a comparison: the summaries of its metrics, and its series where they are drawn or joined.

    ``unreadable`` counts its values that could not be read.
    """

    details: RunDetails
    series: Sequence[Series] = ()
    unreadable: Unreadable = READABLE
    summaries: Sequence[Summary] = ()


class Parameter(msgspec.Struct, frozen=True):
    """``key`` is a JSON literal; ``values`` are, one for each run, ``null`` where it has no such parameter.

    ``differs``: between runs whose parameters are known.
    """

    key: bytes
    values: Sequence[bytes]
    differs: bool


class Identity(msgspec.Struct, frozen=True, gc=False):
    """The identity of a series, by which those of different runs are aligned."""

    name: str
    labels: frozenset[NameValue]

    @property
    def model(self) -> str | None:
        """The series' model; ``None`` where it belongs to the run as a whole."""
        return next((label.value for label in sorted(self.labels) if label.name == MODEL_LABEL), None)

    @property
    def without_model(self) -> Identity:
        return Identity(self.name, frozenset(label for label in self.labels if label.name != MODEL_LABEL))


One = TypeVar("One", Series, Summary)


class Aligned(msgspec.Struct, Generic[One], frozen=True, gc=False):
    """The series, or their summaries, of one name and label set, one for each run, ``None`` where a run has none.

    ``labels`` is a JSON literal.
    """

    identity: Identity
    labels: bytes
    series: Sequence[One | None]

    @property
    def name(self) -> bytes:
        """The metric's name as a JSON literal."""
        return next(one.name for one in self.series if one is not None)


class Model(NamedTuple):
    """A model of a run; ``artifact_id`` is a JSON literal, ``null`` where the run has no such output artifact."""

    name: str
    artifact_id: bytes


class ComparedModels(msgspec.Struct, frozen=True):
    """Models side by side, one or none of each run, and the summaries of their metrics."""

    models: Sequence[Model | None]
    metrics: Sequence[Aligned[Summary]]


class Differences(NamedTuple):
    """The difference of each run's last value from the baseline's, as JSON literals; ``null`` where either is not a
    finite number."""

    difference: Sequence[bytes]
    relative: Sequence[bytes]


class Baseline(msgspec.Struct, frozen=True):
    """The run whose last values are subtracted from the others'; it may be one that could not be read."""

    run_ids: Sequence[str]
    run_id: str

    def of(self, metric: Aligned[Summary]) -> Differences:
        """The differences of the metric's last values, in the order of the runs."""
        values = [_last_value(one) for one in metric.series]
        base = dict(zip(self.run_ids, values, strict=True)).get(self.run_id)
        found = [None if value is None or base is None else decimals.difference(value, base) for value in values]
        relative = [None if one is None or base is None else decimals.ratio(one, base) for one in found]
        return Differences([*map(decimals.literal, found)], [*map(decimals.literal, relative)])


class Joined(NamedTuple):
    """Series joined by step (an outer join); steps and values are JSON literals, ``null`` where a run has none.

    ``columns`` has each run's values by step. Where few steps are shared, the table is much larger than the columns, so
    it is made as it is written.
    """

    steps: Sequence[bytes]
    columns: Sequence[Mapping[bytes, bytes]]

    def stretches(self) -> Iterator[Sequence[bytes]]:
        """The steps, in pieces; raises where the time for large work is over."""
        for start in range(0, len(self.steps), _STEPS_AT_ONCE):
            checkpoint()
            yield self.steps[start : start + _STEPS_AT_ONCE]

    def rows(self) -> Iterator[tuple[bytes, Sequence[bytes]]]:
        """Each step with the values of all runs."""
        for steps in self.stretches():
            for step in steps:
                yield step, [column.get(step, points.NULL) for column in self.columns]


class _KeyValue(msgspec.Struct):
    key: Raw
    value: Raw


class _StepValue(msgspec.Struct):
    step: Raw
    timestamp: Raw
    value: Raw


_step_value: Callable[[bytes], _StepValue] = json_decoder(_StepValue).decode


def parameters(runs: Sequence[Compared]) -> list[Parameter]:
    """The parameters of all runs, in the order in which they first appear."""
    given = [dict(_given(run.details.parameters)) for run in runs]
    keys = dict.fromkeys(key for each in given for key in each)
    known = ["parameters" not in run.details.unavailable for run in runs]

    def parameter(key: str) -> Parameter:
        values = [each.get(key, points.NULL) for each in given]
        return Parameter(_literal(key), values, len(set(compress(values, known))) > 1)

    return [parameter(key) for key in keys]


def aligned(runs: Sequence[Iterable[One]]) -> list[Aligned[One]]:
    """The series of each run by name and label set, in the order in which they first appear."""
    return _side_by_side([{identity_of(one): one for one in each if one.labels is not None} for each in runs])


def narrowed(summaries: Iterable[Summary], names: Collection[str] = (), labels: Collection[str] = ()) -> list[Summary]:
    """The summaries of series of these names, or all, that have each of ``labels``, as in ``Filter``."""
    return [one for one in summaries if one.labels is not None and _has(identity_of(one), names, labels)]


def models(runs: Sequence[Compared]) -> list[ComparedModels]:
    """The runs' models side by side.

    A run's models are its output models (``kind`` is ``model``) and those that its metrics name by ``MODEL_LABEL``. A
    model's metrics are those that name it and, for a run with exactly one output model, those that name none. Where no
    run has more than one model, each run's model is in its column, whatever its name; otherwise each name has a block.
    Metrics are aligned by name and the other labels.
    """
    outputs = [_output_models(run.details.output_artifacts) for run in runs]
    metrics = [_by_model(run, output) for run, output in zip(runs, outputs, strict=True)]
    known = [dict.fromkeys((*output, *each)) for output, each in zip(outputs, metrics, strict=True)]
    columns: list[list[str | None]]
    if all(len(each) <= 1 for each in known):
        columns = [[next(iter(each), None) for each in known]] if any(known) else []
    else:
        names = dict.fromkeys(name for each in known for name in each)
        columns = [[name if name in each else None for each in known] for name in names]
    return [_models(column, outputs, metrics) for column in columns]


def joined(compared: Aligned[Series]) -> Joined:
    """The values by step. Of several points at one step the last with a timestamp counts, else the last; points without
    a step are left out."""
    columns = [dict(_by_step(series)) for series in compared.series]
    found: dict[bytes, bytes] = {}
    for column in columns:
        found.update(column)
    steps, numbers = list(found), [int(step) for step in found]
    return Joined([steps[place] for place in places_of_integers(numbers)], columns)


def identity_of(series: Series | Summary) -> Identity:
    """What identifies a series, or a summary of one."""
    return Identity(points.text(series.name), points.label_set(series.labels or b"[]"))


def _has(identity: Identity, names: Collection[str], labels: Collection[str]) -> bool:
    written = {label.name for label in identity.labels} | {f"{label.name}:{label.value}" for label in identity.labels}
    return (not names or identity.name in names) and written.issuperset(labels)


def _side_by_side(by_run: Sequence[Mapping[Identity, One]]) -> list[Aligned[One]]:
    identities = dict.fromkeys(identity for each in by_run for identity in each)
    found = []
    for identity in identities:
        row = tuple(each.get(identity) for each in by_run)
        labels = next(one.labels for one in row if one is not None) or b"[]"
        found.append(Aligned(identity, _labels_of(identity, labels), row))
    return found


def _labels_of(identity: Identity, literal: bytes) -> bytes:
    """The labels as they were logged, reduced to those of the identity."""
    labels = points.labels(literal)
    kept = [label for label in labels if label in identity.labels]
    return literal if len(kept) == len(labels) else json.dumps([label._asdict() for label in kept]).encode("ascii")


def _models(
    column: Sequence[str | None],
    outputs: Sequence[Mapping[str, bytes]],
    metrics: Sequence[Mapping[str, Mapping[Identity, Summary]]],
) -> ComparedModels:
    found = [
        None if name is None else Model(name, output.get(name, points.NULL))
        for name, output in zip(column, outputs, strict=True)
    ]
    rows = [{} if name is None else each.get(name, {}) for name, each in zip(column, metrics, strict=True)]
    return ComparedModels(found, _side_by_side(rows))


def _by_model(run: Compared, output: Mapping[str, bytes]) -> dict[str, dict[Identity, Summary]]:
    """The metrics of each of a run's models, without the label that names it. Points of the only model with and without
    its label are of one metric."""
    only = next(iter(output)) if len(output) == 1 else None
    found: dict[str, dict[Identity, Summary]] = {}
    unnamed: dict[Identity, Summary] = {}
    for one in run.summaries:
        if one.labels is None:
            continue
        identity = identity_of(one)
        if identity.model is None:
            unnamed[identity] = one
        else:
            found.setdefault(identity.model, {})[identity.without_model] = one
    if only is not None and unnamed:
        named = found.get(only, {})
        both = unnamed.keys() & named.keys()
        found[only] = unnamed | named | {each: joined_summary.joined(unnamed[each], named[each]) for each in both}
    return found


def _output_models(literal: bytes) -> dict[str, bytes]:
    """The ids of a run's output models by their names, as JSON literals."""
    if literal == points.NULL:
        return {}
    artifacts: list[dict[str, str | None]] = json.loads(literal)
    return {str(one.get("name") or one["id"]): _literal(one["id"]) for one in artifacts if one.get("kind") == "model"}


def _last_value(summary: Summary | None) -> Decimal | None:
    if summary is None:
        return None
    value = bytes(_step_value(summary.last).value)
    return None if value == points.NULL else points.exact(value)


def _by_step(series: Series | None) -> Iterator[tuple[bytes, bytes]]:
    """The values by step, where that which counts comes last. Points are ordered by step, and those of a step without a
    timestamp come after those with one."""
    timed = b""
    for text in series.points if series is not None else ():
        point = _step_value(text)
        if bytes(point.step) == points.NULL:
            continue
        step = b"%d" % int(points.exact(bytes(point.step)))
        if bytes(point.timestamp) != points.NULL:
            timed = step
        elif step == timed:
            continue
        yield step, bytes(point.value)


def _given(literal: bytes) -> Iterator[tuple[str, bytes]]:
    if literal == points.NULL:
        return
    try:
        pairs = [(points.text(bytes(one.key)), bytes(one.value)) for one in _key_values(literal)]
    except msgspec.DecodeError:
        pairs = [(one["key"], _literal(one["value"])) for one in json.loads(literal)]
    yield from pairs


def _key_values(literal: bytes) -> list[_KeyValue]:
    return json_decoder(list[_KeyValue]).decode(literal)


def _literal(text: str | None) -> bytes:
    return json.dumps(text).encode("ascii")
