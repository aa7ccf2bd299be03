"""Runs side by side: what they were started with, and what their metrics came to."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import NamedTuple

import msgspec
from msgspec import Raw

from service.domain import points
from service.domain.metrics import READABLE, Unreadable
from service.domain.points import NameValue
from service.domain.runs import RunDetails
from service.domain.series.model import Series

MODEL_LABEL = "metrics.ai.sap.com/Artifact.name"
"""The label that says which model a metric is of (AI API)."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One run of a comparison. ``unreadable`` counts what was given for it and could not be read."""

    details: RunDetails
    series: Sequence[Series]
    unreadable: Unreadable = READABLE


@dataclass(frozen=True, slots=True)
class Parameter:
    """``key`` is a JSON literal; ``values`` are, one for each run, ``null`` where it has no such parameter.

    ``differs``: between runs whose parameters are known.
    """

    key: bytes
    values: Sequence[bytes]
    differs: bool


class Identity(NamedTuple):
    """What makes two series of different runs the same."""

    name: str
    labels: frozenset[NameValue]

    @property
    def model(self) -> str | None:
        """The model that the series is of; ``None`` where it is of the run as a whole."""
        return next((label.value for label in sorted(self.labels) if label.name == MODEL_LABEL), None)

    @property
    def without_model(self) -> Identity:
        return Identity(self.name, frozenset(label for label in self.labels if label.name != MODEL_LABEL))


@dataclass(frozen=True, slots=True)
class Aligned:
    """The series of one name and label set, one for each run, ``None`` where a run has none."""

    identity: Identity
    series: Sequence[Series | None]

    @property
    def any(self) -> Series:
        return next(one for one in self.series if one is not None)


class Joined(NamedTuple):
    """Series joined by step (an outer join): for each step the values, one for each run; all JSON literals."""

    steps: Sequence[bytes]
    values: Sequence[Sequence[bytes]]


class _KeyValue(msgspec.Struct):
    key: Raw
    value: Raw


class _StepValue(msgspec.Struct):
    step: Raw
    value: Raw


def parameters(runs: Sequence[Compared]) -> list[Parameter]:
    """The parameters of all runs, in the order in which they first appear."""
    given = [dict(_given(run.details.parameters)) for run in runs]
    keys = dict.fromkeys(key for each in given for key in each)
    known = ["parameters" not in run.details.unavailable for run in runs]

    def parameter(key: str) -> Parameter:
        values = [each.get(key, points.NULL) for each in given]
        return Parameter(_literal(key), values, len(set(compress(values, known))) > 1)

    return [parameter(key) for key in keys]


def aligned(runs: Sequence[Compared]) -> list[Aligned]:
    """The series of all runs by name and label set, in the order in which they first appear."""
    by_run = [{identity_of(series): series for series in run.series} for run in runs]
    identities = dict.fromkeys(identity for each in by_run for identity in each)
    return [Aligned(identity, [each.get(identity) for each in by_run]) for identity in identities]


def by_model(compared: Iterable[Aligned]) -> dict[str, list[Aligned]]:
    """The series that are of a model, by the model's name."""
    models: dict[str, list[Aligned]] = {}
    for one in compared:
        if one.identity.model is not None:
            models.setdefault(one.identity.model, []).append(one)
    return models


def joined(compared: Aligned) -> Joined:
    """The values by step. Of several points at one step the last counts; points without a step are left out."""
    columns = [dict(_by_step(series)) for series in compared.series]
    steps = sorted({step for column in columns for step in column}, key=points.exact)
    return Joined(steps, [[column.get(step, points.NULL) for column in columns] for step in steps])


def identity_of(series: Series) -> Identity:
    return Identity(points.text(series.name), points.label_set(series.labels))


def _by_step(series: Series | None) -> Iterator[tuple[bytes, bytes]]:
    read: Callable[[bytes], _StepValue] = msgspec.json.Decoder(_StepValue).decode
    for text in series.points if series is not None else ():
        point = read(text)
        if bytes(point.step) != points.NULL:
            yield b"%d" % int(points.exact(bytes(point.step))), bytes(point.value)


def _given(literal: bytes) -> Iterator[tuple[str, bytes]]:
    if literal == points.NULL:
        return
    try:
        pairs = [(points.text(bytes(one.key)), bytes(one.value)) for one in _key_values(literal)]
    except msgspec.DecodeError:
        pairs = [(one["key"], _literal(one["value"])) for one in json.loads(literal)]
    yield from pairs


def _key_values(literal: bytes) -> list[_KeyValue]:
    return msgspec.json.decode(literal, type=list[_KeyValue])


def _literal(text: str | None) -> bytes:
    return json.dumps(text).encode("ascii")
