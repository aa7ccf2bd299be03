"""AI API JSON → domain: ``GET /lm/metrics`` answers become metric resources.

Names, values, steps and labels are not converted: they stay the literals that the runtime sent. Members that the AI API
does not know are dropped; members of a point that cannot be read are ``null``; any other deviation is a ``BadGateway``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import msgspec
from msgspec import Raw

from service.domain.errors import BadGateway
from service.domain.metrics import Chunk, MetricResource, counts_of
from service.domain.runs import RunStatus
from service.domain.selection.chunks import chunks_of
from service.runtimes import json_literals
from service.runtimes.ai_api.chunking import STRETCH, Read, Unusual, cut
from service.runtimes.ai_api.pairs import pairs
from service.runtimes.ai_api.points import PointMapping
from service.runtimes.json_literals import NULL

_NULL = Raw(NULL)
_FOREIGN = "the AI runtime answered with metrics of another run, or of one run twice"


class _Resource(msgspec.Struct, rename="camel"):
    execution_id: str
    created_at: Raw = _NULL
    modified_at: Raw = _NULL
    metrics: list[Raw] | None = None
    tags: Raw = _NULL
    custom_info: Raw = _NULL


class _Resources(msgspec.Struct):
    resources: list[_Resource]


class _Whose(msgspec.Struct, rename="camel"):
    execution_id: str


class _Apart(msgspec.Struct):
    resources: list[Raw]


class _KnownResource(_Resource, rename="camel", forbid_unknown_fields=True):
    """A resource in which every array called ``metrics`` is its own."""


class _Skeleton(msgspec.Struct, forbid_unknown_fields=True):
    resources: list[_KnownResource]
    count: int | None = None


def metric_resources(body: bytes, asked: Collection[str], *, stretch: int = STRETCH) -> dict[str, MetricResource]:
    """The metric resources of the runs ``asked`` for; runs without one are absent.

    ``stretch`` is how many bytes are read at once. Raises ``BadGateway`` where the answer is not the AI API's, or has a
    run twice or a run that was not requested.
    """
    try:
        mapped = list(_piecewise(body, len(asked), stretch))
    except Unusual:
        mapped = list(_as_a_whole(body))
    found = {resource.run_id: resource for resource in mapped}
    if len(found) != len(mapped) or not found.keys() <= set(asked):
        raise BadGateway(_FOREIGN)
    return found


def metric_resources_apart(body: bytes, asked: Collection[str]) -> dict[str, MetricResource | BadGateway]:
    """Like ``metric_resources``, for an answer that it refuses: a fault within one run is that run's error.

    Raises ``BadGateway`` where the fault is not within one run.
    """
    answer, mended = json_literals.decode_mended(body, _Apart, points=True)
    found: dict[str, MetricResource | BadGateway] = {}
    for text in map(bytes, answer.resources):
        run_id = json_literals.decode_mended(text, _Whose, points=True)[0].execution_id
        if run_id in found or run_id not in asked:
            raise BadGateway(_FOREIGN)
        try:
            found[run_id] = _whole(json_literals.decode_mended(text, _Resource, points=True)[0], mended=mended)
        except BadGateway as error:
            found[run_id] = error
    return found


class _Execution(msgspec.Struct):
    id: str
    status: str


class _Executions(msgspec.Struct):
    resources: list[_Execution]


def run_status(body: bytes, asked: str) -> RunStatus:
    """The status of the run ``asked`` for. Raises ``BadGateway`` where the answer is not the AI API's, or another's."""
    execution = json_literals.decode(body, _Execution)
    if execution.id != asked:
        raise BadGateway("the AI runtime answered with another run than the one it was asked for")
    return RunStatus.of(execution.status)


def running(body: bytes, most: int) -> set[str]:
    """The ids of the running ones among the executions listed. Raises ``BadGateway`` where the answer is no list, or
    has more than the ``most`` that were asked for: such a list is too expensive to be read every few seconds."""
    listed = json_literals.decode(body, _Executions)
    if len(listed.resources) > most:
        raise BadGateway("the AI runtime listed more runs than it was asked for")
    return {execution.id for execution in listed.resources if execution.status == RunStatus.RUNNING}


def _piecewise(body: bytes, runs: int, stretch: int) -> Iterator[MetricResource]:
    mappings: list[PointMapping] = []

    def begin() -> Read:
        mappings.append(PointMapping())
        return mappings[-1].chunk

    skeleton, arrays = cut(body, begin, runs, stretch)
    json_literals.check_at_once(skeleton)
    try:
        answer, mended = json_literals.decode_mended(skeleton, _Skeleton)
    except BadGateway as error:
        raise Unusual from error
    with_metrics = [resource.metrics is not None for resource in answer.resources]
    if sum(with_metrics) != len(arrays) or any(resource.metrics for resource in answer.resources):
        raise Unusual
    each = zip(mappings, arrays, strict=True)
    for resource, has in zip(answer.resources, with_metrics, strict=True):
        mapping, chunks = next(each) if has else (PointMapping(), ())
        yield _mapped(resource, mapping, chunks, mended=mended)


def _as_a_whole(body: bytes) -> Iterator[MetricResource]:
    answer, mended = json_literals.decode_mended(body, _Resources, points=True)
    for resource in answer.resources:
        yield _whole(resource, mended=mended)


def _whole(resource: _Resource, *, mended: bool) -> MetricResource:
    mapping = PointMapping()
    chunks = tuple(mapping.point_by_point(batch.text) for batch in chunks_of(resource.metrics or []))
    if mended:
        chunks = tuple(Chunk(json_literals.restored(chunk.text), chunk.count) for chunk in chunks)
    return _mapped(resource, mapping, chunks, mended=mended)


def _mapped(resource: _Resource, mapping: PointMapping, chunks: Sequence[Chunk], *, mended: bool) -> MetricResource:
    tags, custom_info = pairs(resource.tags), pairs(resource.custom_info)
    of_points = mapping.unreadable
    created_at, modified_at = map(mapping.timestamps.literal, (resource.created_at, resource.modified_at))
    return MetricResource(
        run_id=resource.execution_id,
        created_at=created_at,
        modified_at=modified_at,
        metrics=chunks,
        tags=json_literals.restored(tags) if mended else tags,
        custom_info=json_literals.restored(custom_info) if mended else custom_info,
        count=sum(counts_of(chunks)),
        unreadable=of_points,
        label_names=mapping.label_names,
        unreadable_moments=mapping.unreadable.timestamps - of_points.timestamps,
    )
