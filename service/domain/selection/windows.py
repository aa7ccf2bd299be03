"""Some of the points: a stretch of them, or those of certain rows. Only the chunks that hold them are looked at."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate

from service.concurrency.time_limit import checkpoint
from service.domain.metrics import Chunk, counts_of
from service.domain.selection.objects import POINTS_A_CHUNK, chunk_of, objects

_HELD = 250_000
"""Points that are gathered at once: what takes memory."""


def window(chunks: Sequence[Chunk], offset: int, limit: int) -> Iterator[Chunk]:
    """At most ``limit`` points from the one at ``offset`` (the first is 0) on."""
    end = offset + limit
    start = 0
    for number, count in enumerate(counts_of(chunks)):
        first, last = max(offset - start, 0), min(end - start, count)
        if first < last:
            chunk = chunks[number]
            yield chunk if last - first == count else chunk_of(objects(chunk)[first:last])
        start += count
        if start >= end:
            return


def gathered(chunks: Sequence[Chunk], rows: array[int]) -> Iterator[Chunk]:
    """The points of ``rows``, in their order, whatever that is. Chunks are looked at once for each ``_HELD`` rows."""
    starts = list(accumulate(counts_of(chunks), initial=0))
    for at in range(0, len(rows), _HELD):
        texts = _texts(chunks, starts, rows[at : at + _HELD])
        for first in range(0, len(texts), POINTS_A_CHUNK):
            yield chunk_of(texts[first : first + POINTS_A_CHUNK])


def _texts(chunks: Sequence[Chunk], starts: Sequence[int], rows: array[int]) -> list[bytes]:
    texts = [b""] * len(rows)
    for number, places in _by_chunk(starts, rows):
        checkpoint()
        every, start = objects(chunks[number]), starts[number]
        for place in places:
            texts[place] = bytes(every[rows[place] - start])
    return texts


def _by_chunk(starts: Sequence[int], rows: array[int]) -> Iterator[tuple[int, list[int]]]:
    """The places in ``rows`` of what each chunk holds of them."""
    places: dict[int, list[int]] = {}
    for place, row in enumerate(rows):
        places.setdefault(bisect_right(starts, row) - 1, []).append(place)
    yield from places.items()
