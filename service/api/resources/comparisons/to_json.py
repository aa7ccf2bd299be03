"""A comparison as JSON in the caller's time zone."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from service.api.resources.metric_resource.to_json import warnings
from service.api.resources.runs.to_json import members
from service.domain import comparison, points
from service.domain.comparison import Aligned, Baseline, Compared, Differences, Model, Parameter
from service.domain.localizing import localized
from service.domain.metrics import READABLE
from service.domain.series.series import Series
from service.domain.series.summary import Summary
from service.domain.timestamps import ZoneClock, zone_clock
from service.domain.zones import TimeZone

Missing = Sequence[Mapping[str, Any]]
_COMPARED = frozenset({"parameters"})
"""The related objects of a run that a comparison needs."""


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Runs side by side.

    ``joined`` is the metric whose series are joined by step. ``baseline`` is the id of the run from which the others'
    last values are subtracted; where that run is missing, differences are ``null``.
    """

    runs: Sequence[Compared]
    missing: Missing
    zone: TimeZone
    only_differing: bool
    joined: str | None
    baseline: str | None = None

    @property
    def differences(self) -> Baseline | None:
        """The differences from the baseline, where there is one."""
        return None if self.baseline is None else Baseline([run.details.run.run_id for run in self.runs], self.baseline)


def written(found: Comparison) -> Iterator[bytes]:
    """The answer, in pieces."""
    runs, differences = found.runs, found.differences
    clock = zone_clock(found.zone)
    yield b'{"timezone":"%b","runs":[%b],"parameters":[%b],"metrics":[' % (
        found.zone.name.encode("ascii"),
        b",".join(_run(run, clock) for run in runs),
        b",".join(_parameter(one) for one in comparison.parameters(runs) if one.differs or not found.only_differing),
    )
    of_runs = (one for one in comparison.aligned([run.summaries for run in runs]) if one.identity.model is None)
    yield from _metrics(of_runs, clock, differences)
    yield b'],"models":['
    for number, block in enumerate(comparison.models(runs)):
        yield b'%b{"models":[%b],"metrics":[' % (b"," if number else b"", b",".join(map(_model, block.models)))
        yield from _metrics(block.metrics, clock, differences)
        yield b"]}"
    yield b"]"
    if found.joined is not None:
        yield from _joined(
            one for one in comparison.aligned([run.series for run in runs]) if one.identity.name == found.joined
        )
    unreadable = sum((run.unreadable for run in runs), READABLE)
    yield b',"missing":%b%b}' % (msgspec.json.encode(found.missing), warnings(unreadable))


def _run(run: Compared, clock: ZoneClock) -> bytes:
    unavailable = [part for part in run.details.unavailable if part in _COMPARED]
    more = b',"unavailable":' + msgspec.json.encode(unavailable) if unavailable else b""
    return b"{%b%b}" % (members(run.details.run, clock), more)


def _parameter(one: Parameter) -> bytes:
    differs = b"true" if one.differs else b"false"
    return b'{"key":%b,"values":[%b],"differs":%b}' % (one.key, b",".join(one.values), differs)


def _model(model: Model | None) -> bytes:
    if model is None:
        return points.NULL
    return b'{"name":%b,"artifactId":%b}' % (json.dumps(model.name).encode("ascii"), model.artifact_id)


def _metrics(several: Iterable[Aligned[Summary]], clock: ZoneClock, differences: Baseline | None) -> Iterator[bytes]:
    for number, one in enumerate(several):
        counts, means = (
            b",".join(points.NULL if each is None else value(each) for each in one.series) for value in (_count, _mean)
        )
        yield b'%b{"name":%b,"labels":%b,"count":[%b],%b,"mean":[%b]%b}' % (
            b"," if number else b"",
            one.name,
            one.labels,
            counts,
            b",".join(_points(aggregate, one.series, clock) for aggregate in ("first", "last", "min", "max")),
            means,
            b"" if differences is None else _differences(differences.of(one)),
        )


def _differences(found: Differences) -> bytes:
    return b',"difference":[%b],"relative":[%b]' % (b",".join(found.difference), b",".join(found.relative))


def _count(summary: Summary) -> bytes:
    return b"%d" % summary.count


def _mean(summary: Summary) -> bytes:
    return summary.mean


def _points(aggregate: str, several: Iterable[Summary | None], clock: ZoneClock) -> bytes:
    texts: list[bytes | None] = [None if one is None else getattr(one, aggregate) for one in several]
    return b'"%b":%b' % (
        aggregate.encode("ascii"),
        localized(b"[%b]" % b",".join(text or points.NULL for text in texts), clock),
    )


def _joined(several: Iterable[Aligned[Series]]) -> Iterator[bytes]:
    yield b',"aligned":['
    for number, one in enumerate(several):
        found = comparison.joined(one)
        yield b'%b{"name":%b,"labels":%b,"steps":[' % (b"," if number else b"", one.name, one.labels)
        yield from _array(found.stretches())
        yield b'],"values":['
        for place, column in enumerate(found.columns):
            yield b",[" if place else b"["
            yield from _array([column.get(step, points.NULL) for step in steps] for steps in found.stretches())
            yield b"]"
        yield b"]}"
    yield b"]"


def _array(stretches: Iterable[Sequence[bytes]]) -> Iterator[bytes]:
    """The members of an array."""
    for number, literals in enumerate(stretches):
        yield (b"," if number else b"") + b",".join(literals)
