"""AI API answers as text, written literal by literal, so that what is sent is exactly what a test says."""

from __future__ import annotations

import msgspec

from service.domain.metrics import MetricResource
from service.runtimes import json_literals
from service.runtimes.ai_api.mapping import metric_resources

RUN = "run1"
MOMENT = '"2026-03-29T01:00:00Z"'


def metric(*fields: str, name: str = '"loss"', value: str = "1", timestamp: str = MOMENT) -> str:
    """One metric; ``fields`` are more of its members, ``"step":1``."""
    return "{" + ",".join((f'"name":{name}', f'"value":{value}', f'"timestamp":{timestamp}', *fields)) + "}"


def answer(*metrics: str, more: str = "") -> bytes:
    """An answer with one resource; ``more`` are more of its members, each with a comma in front."""
    text = f'{{"count":1,"resources":[{{"executionId":"{RUN}","metrics":[{",".join(metrics)}]{more}}}]}}'
    return text.encode("utf-8", "surrogatepass")


def resource(body: bytes) -> MetricResource:
    return metric_resources(body, [RUN])[RUN]


def metrics_of(body: bytes) -> bytes:
    """The metrics of a mapped answer, as JSON in UTC."""
    return points_of(resource(body))


def points_of(mapped: MetricResource) -> bytes:
    """The points of a mapped resource, as one JSON array: members in one order, no white space, literals as they are."""
    text = b"[" + b",".join(chunk.text for chunk in mapped.metrics) + b"]"
    points, mended = json_literals.decode_mended(text, list[_Point])
    assert len(points) == mapped.count == sum(chunk.count for chunk in mapped.metrics)
    written = msgspec.json.encode(points)
    return json_literals.restored(written) if mended else written


class _Point(msgspec.Struct, forbid_unknown_fields=True):
    name: msgspec.Raw
    value: msgspec.Raw
    timestamp: msgspec.Raw
    step: msgspec.Raw
    labels: list[_Label]


class _Label(msgspec.Struct, forbid_unknown_fields=True):
    name: msgspec.Raw
    value: msgspec.Raw
