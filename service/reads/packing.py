"""Packs metric resources for the store: a first part with everything but the points, then a part for each chunk."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from service.caching import codec
from service.caching.codec import Length, NotAnEntry, Packed
from service.domain.lazy_sequence import LazySequence
from service.domain.metrics import Chunk, Chunks, MetricResource, counts_of


class _First(msgspec.Struct, frozen=True, array_like=True):
    """Everything but the points, and the number of points in each of the parts that follow."""

    resource: MetricResource
    counts: list[Length]


def packed(resource: MetricResource) -> Packed:
    """The parts; those of chunks are loaded on each access, as the chunks are."""
    first = _First(msgspec.structs.replace(resource, metrics=()), list(counts_of(resource.metrics)))
    return _Parts(msgspec.msgpack.encode(first), resource.metrics)


class _Parts(LazySequence[bytes]):
    def __init__(self, first: bytes, chunks: Sequence[Chunk]) -> None:
        self._first = first
        self._chunks = chunks

    def __len__(self) -> int:
        return 1 + len(self._chunks)

    def _load_element(self, number: int) -> bytes:
        return self._chunks[number - 1].text if number else self._first


def unpacked(parts: Packed) -> MetricResource:
    """The resource; chunks are unpacked on each access, and raise ``ContentGone`` then.

    Raises ``NotAnEntry`` for anything but a metric resource.
    """
    first = codec.unpack(parts, _First)
    if len(first.counts) != len(parts) - 1:
        raise NotAnEntry
    return msgspec.structs.replace(first.resource, metrics=Chunks(first.counts, lambda number: parts[number + 1]))
