"""A comparison as JSON in the caller's time zone."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from service.api.resources.metric_resource.to_json import warnings, zone_clock
from service.api.resources.runs.to_json import members
from service.domain import comparison
from service.domain.comparison import Aligned, Compared, Parameter
from service.domain.localizing import localized
from service.domain.metrics import READABLE
from service.domain.series.model import Series
from service.domain.timestamps import ZoneClock
from service.domain.zones import TimeZone

Missing = Sequence[Mapping[str, Any]]
_COMPARED = frozenset({"parameters"})
"""Parts of what surrounds a run that are in a comparison."""


def compared(
    runs: Sequence[Compared], missing: Missing, zone: TimeZone, *, only_differing: bool, joined: str | None
) -> Iterator[bytes]:
    """The answer, in pieces. ``joined`` is the metric whose series are to be joined by step."""
    clock = zone_clock(zone)
    series = comparison.aligned(runs)
    of_runs = [one for one in series if one.identity.model is None]
    yield b'{"timezone":"%b","runs":[%b],"parameters":[%b],"metrics":[' % (
        zone.name.encode("ascii"),
        b",".join(_run(run, clock) for run in runs),
        b",".join(_parameter(one) for one in comparison.parameters(runs) if one.differs or not only_differing),
    )
    yield from _metrics(of_runs, clock)
    yield b'],"models":['
    for number, (name, several) in enumerate(comparison.by_model(series).items()):
        yield b'%b{"name":%b,"metrics":[' % (b"," if number else b"", json.dumps(name).encode("ascii"))
        yield from _metrics(several, clock)
        yield b"]}"
    yield b"]"
    if joined is not None:
        yield from _joined([one for one in series if one.identity.name == joined])
    unreadable = sum((run.unreadable for run in runs), READABLE)
    yield b',"missing":%b%b}' % (msgspec.json.encode(missing), warnings(unreadable))


def _run(run: Compared, clock: ZoneClock) -> bytes:
    unavailable = [part for part in run.details.unavailable if part in _COMPARED]
    more = b',"unavailable":' + msgspec.json.encode(unavailable) if unavailable else b""
    return b"{%b%b}" % (members(run.details.run, clock), more)


def _parameter(one: Parameter) -> bytes:
    differs = b"true" if one.differs else b"false"
    return b'{"key":%b,"values":[%b],"differs":%b}' % (one.key, b",".join(one.values), differs)


def _metrics(several: Iterable[Aligned], clock: ZoneClock) -> Iterator[bytes]:
    for number, one in enumerate(several):
        last, least, greatest = (
            _points([read(series) for series in one.series], clock) for read in (_last, _least, _greatest)
        )
        yield b'%b{"name":%b,"labels":%b,"last":%b,"min":%b,"max":%b}' % (
            b"," if number else b"",
            one.any.name,
            one.any.labels,
            last,
            least,
            greatest,
        )


def _joined(several: Iterable[Aligned]) -> Iterator[bytes]:
    yield b',"aligned":['
    for number, one in enumerate(several):
        steps, values = comparison.joined(one)
        yield b'%b{"name":%b,"labels":%b,"steps":[%b],"values":[' % (
            b"," if number else b"",
            one.any.name,
            one.any.labels,
            b",".join(steps),
        )
        yield b",".join(b"[%b]" % b",".join(column) for column in zip(*values, strict=True))
        yield b"]}"
    yield b"]"


def _points(given: Sequence[bytes | None], clock: ZoneClock) -> bytes:
    return localized(b"[%b]" % b",".join(point or b"null" for point in given), clock)


def _last(series: Series | None) -> bytes | None:
    return None if series is None else series.last


def _least(series: Series | None) -> bytes | None:
    return None if series is None else series.min


def _greatest(series: Series | None) -> bytes | None:
    return None if series is None else series.max
