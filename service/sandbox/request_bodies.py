"""Request bodies: what they must look like, checked while they are decoded. Numbers stay the text they were."""

from __future__ import annotations

import re
import threading
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from service.sandbox.clock import is_timestamp
from service.sandbox.errors import BadRequest
from service.sandbox.metric_store import Addition

Name = Annotated[str, Meta(min_length=1, max_length=256)]
Identifier = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_.-]{4,64}\Z")]
Body = TypeVar("Body")

_NUMBER = re.compile(rb"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_STEP = re.compile(rb"0|[1-9][0-9]*")
_WHERE = re.compile(r"(?P<message>.*) - at `\$\.?(?P<path>.*)`", re.DOTALL)


class Label(Struct, omit_defaults=True):
    name: Name
    value: Name


class CustomInfo(Struct):
    name: Name
    value: str


class Metric(Struct, omit_defaults=True):
    """One point; ``value`` and ``step`` are JSON text."""

    name: Name
    value: Raw
    timestamp: str | UnsetType | None = UNSET
    step: Raw | UnsetType = UNSET
    labels: list[Label] | UnsetType | None = UNSET


class MetricResource(Struct, rename="camel"):
    execution_id: Identifier
    metrics: list[Metric] | None = None
    tags: list[Label] | None = None
    custom_info: list[CustomInfo] | None = None


_learning = threading.Lock()
"""msgspec crashes where two threads have it learn a class with another one inside at the same time."""


def decode(body: bytes, type_: type[Body]) -> Body:
    """The body as ``type_``; :class:`BadRequest` with the member that is wrong otherwise."""
    try:
        with _learning:
            decoder = msgspec.json.Decoder(type_)
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        found = _WHERE.fullmatch(str(error))
        raise BadRequest(found["message"] if found else str(error), found["path"] if found else None) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadRequest(f"the body is not JSON: {error}") from None


def addition(resource: MetricResource, now: str) -> Addition:
    """What a metric resource adds; points without a timestamp get ``now``."""
    metrics = [_complete(metric, f"metrics[{number}]", now) for number, metric in enumerate(resource.metrics or ())]
    return Addition(
        msgspec.json.encode(metrics)[1:-1],
        [(tag.name, tag.value) for tag in resource.tags or ()],
        [(info.name, info.value) for info in resource.custom_info or ()],
    )


def _complete(metric: Metric, where: str, now: str) -> Metric:
    if not _NUMBER.fullmatch(metric.value):
        raise BadRequest("Expected a number", f"{where}.value")
    metric.timestamp = metric.timestamp or now
    if not is_timestamp(metric.timestamp):
        raise BadRequest("Expected an RFC 3339 timestamp", f"{where}.timestamp")
    metric.step = _step(metric.step, where)
    metric.labels = metric.labels or UNSET
    return metric


def _step(step: Raw | UnsetType, where: str) -> Raw | UnsetType:
    if step is UNSET or bytes(step) == b"null":
        return UNSET
    if not _STEP.fullmatch(step):
        raise BadRequest("Expected an integer that is not negative", f"{where}.step")
    return step


def plain(body: Struct) -> dict[str, Any]:
    """A decoded body as the JSON object it came from, without what was left out."""
    built: dict[str, Any] = msgspec.to_builtins(body)
    return {name: value for name, value in built.items() if value is not None}
