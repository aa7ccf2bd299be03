"""A metric resource as a body of the store: its points stay in their chunks."""

from __future__ import annotations

import msgspec

from service.caching.codec import Packed
from service.domain.metrics import Chunk, MetricResource


class _Stored(msgspec.Struct, frozen=True, array_like=True):
    """The first part: all but the points, and how many of them are in each of the parts that follow."""

    resource: MetricResource
    counts: list[int]


def packed(resource: MetricResource) -> Packed:
    counts = [chunk.count for chunk in resource.metrics]
    first = _Stored(msgspec.structs.replace(resource, metrics=()), counts)
    return (msgspec.msgpack.encode(first), *(chunk.text for chunk in resource.metrics))


def unpacked(parts: Packed) -> MetricResource:
    first = msgspec.msgpack.decode(parts[0], type=_Stored)
    chunks = tuple(map(Chunk, parts[1:], first.counts))
    return msgspec.structs.replace(first.resource, metrics=chunks)
