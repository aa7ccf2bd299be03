"""AI API JSON → domain: ``GET /lm/metrics`` answers become metric resources.

One pass over the points. Nothing that passes through is converted: a point's name, value, step and labels are copied as
the literals that the runtime sent. Fields that the AI API does not know are dropped; what breaks its shape is a
``BadGateway``.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

import msgspec
from msgspec import Raw

from service.domain.errors import BadGateway
from service.domain.metrics import MetricResource
from service.domain.runs import RunStatus
from service.domain.templates import open_timestamp
from service.domain.timestamps import MomentReader
from service.runtimes.ai_api import literals
from service.runtimes.ai_api.literals import NULL

_NULL = Raw(NULL)
_INTEGER = re.compile(rb"[0-9]+(?:\.0+)?")
_NOT_A_NUMBER = frozenset({b'"NaN"', b'"Infinity"', b'"-Infinity"'})
_NUMBER_STARTS = frozenset(b"-0123456789")


class _Point(msgspec.Struct, gc=False):
    name: Raw
    value: Raw
    timestamp: Raw
    step: Raw = _NULL
    labels: Raw = _NULL


class _NameValue(msgspec.Struct, gc=False):
    name: Raw
    value: Raw


class _Resource(msgspec.Struct, rename="camel"):
    execution_id: str
    created_at: Raw = _NULL
    modified_at: Raw = _NULL
    metrics: list[_Point] | None = None
    tags: list[_NameValue] | None = None
    custom_info: list[_NameValue] | None = None


class _Resources(msgspec.Struct):
    resources: list[_Resource]


def metric_resources(body: bytes, asked: Collection[str]) -> dict[str, MetricResource]:
    """The metric resources of the runs ``asked`` for; runs without one are absent.

    Raises ``BadGateway`` where the answer is not the AI API's, holds a run twice or a run nobody asked for.
    """
    answer, mended = literals.decode_mended(body, _Resources)
    found: dict[str, MetricResource] = {}
    for resource in answer.resources:
        if resource.execution_id not in asked or resource.execution_id in found:
            raise BadGateway("the AI runtime answered with metrics of another run, or of one run twice")
        mapped = _ResourceMapping().map(resource)
        found[resource.execution_id] = _restored(mapped) if mended else mapped
    return found


class _Execution(msgspec.Struct):
    id: str
    status: str


def run_status(body: bytes, asked: str) -> RunStatus:
    """The status of the run ``asked`` for. Raises ``BadGateway`` where the answer is not the AI API's, or another's."""
    execution = literals.decode(body, _Execution)
    if execution.id != asked:
        raise BadGateway("the AI runtime answered with another run than the one it was asked for")
    return RunStatus.of(execution.status)


class _ResourceMapping:
    """The mapping of one resource: what it has seen, so that repeated names and labels are looked at once."""

    def __init__(self) -> None:
        self._moments = MomentReader()
        self._unreadable = 0
        self._names: set[bytes] = set()
        self._labels: dict[bytes, bytes] = {NULL: b"[]"}

    def map(self, resource: _Resource) -> MetricResource:
        created, modified = self._timestamp(resource.created_at), self._timestamp(resource.modified_at)
        points = resource.metrics or []
        return MetricResource(
            run_id=resource.execution_id,
            created_at=created,
            modified_at=modified,
            metrics=b"[" + b",".join(map(self._point, points)) + b"]",
            tags=_pairs(resource.tags or ()),
            custom_info=_pairs(resource.custom_info or ()),
            count=len(points),
            unreadable=self._unreadable,
        )

    def _point(self, point: _Point) -> bytes:
        return b'{"name":%b,"value":%b,"timestamp":%b,"step":%b,"labels":%b}' % (
            self._name(bytes(point.name)),
            _number(bytes(point.value)),
            self._timestamp(point.timestamp, required=True),
            _step(bytes(point.step)),
            self._label_list(bytes(point.labels)),
        )

    def _name(self, literal: bytes) -> bytes:
        if literal not in self._names:
            self._names.add(_string(literal))
        return literal

    def _label_list(self, literal: bytes) -> bytes:
        known = self._labels.get(literal)
        if known is None:
            known = self._labels[literal] = _pairs(literals.decode(literal, list[_NameValue]))
        return known

    def _timestamp(self, literal: Raw, *, required: bool = False) -> bytes:
        given = bytes(literal)
        if given == NULL and not required:
            return NULL
        if not literals.is_string(given):
            _refuse("a timestamp")
        written = given[1:-1] if b"\\" not in given else literals.text(given).encode("utf-8", "replace")
        moment = self._moments.read(written)
        if moment is None:
            self._unreadable += 1
        return open_timestamp(moment)


def _restored(resource: MetricResource) -> MetricResource:
    return msgspec.structs.replace(
        resource,
        metrics=literals.restored(resource.metrics),
        tags=literals.restored(resource.tags),
        custom_info=literals.restored(resource.custom_info),
    )


def _pairs(pairs: Iterable[_NameValue]) -> bytes:
    return (
        b"["
        + b",".join(
            b'{"name":%b,"value":%b}' % (_string(bytes(pair.name)), _string(bytes(pair.value))) for pair in pairs
        )
        + b"]"
    )


def _string(literal: bytes) -> bytes:
    return literal if literals.is_string(literal) else _refuse("a name or a value of a label, tag or custom info")


def _number(literal: bytes) -> bytes:
    return literal if literal[0] in _NUMBER_STARTS or literal in _NOT_A_NUMBER else _refuse("a metric's value")


def _step(literal: bytes) -> bytes:
    return literal if literal == NULL or _INTEGER.fullmatch(literal) else _refuse("a metric's step")


def _refuse(what: str) -> bytes:
    raise BadGateway(f"the AI runtime's answer does not have the shape of the AI API: {what} is of another type")
