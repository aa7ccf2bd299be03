"""Packs metric resources for the store: a first part with everything but the points, then a part for each chunk."""

from __future__ import annotations

import msgspec

from service.caching import codec
from service.caching.codec import Length, NotAnEntry, Packed
from service.domain.metrics import Chunks, MetricResource


class _First(msgspec.Struct, frozen=True, array_like=True):
    """Everything but the points, and the number of points in each of the parts that follow."""

    resource: MetricResource
    counts: list[Length]


def packed(resource: MetricResource) -> Packed:
    counts = [chunk.count for chunk in resource.metrics]
    first = _First(msgspec.structs.replace(resource, metrics=()), counts)
    return (msgspec.msgpack.encode(first), *(chunk.text for chunk in resource.metrics))


def unpacked(parts: Packed) -> MetricResource:
    """The resource; chunks are unpacked on each access, and raise ``ContentGone`` then.

    Raises ``NotAnEntry`` for anything but a metric resource.
    """
    first = codec.unpack(parts, _First)
    if len(first.counts) != len(parts) - 1:
        raise NotAnEntry
    return msgspec.structs.replace(first.resource, metrics=Chunks(first.counts, lambda number: parts[number + 1]))
