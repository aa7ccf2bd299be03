"""A stretch of the points, for one page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from service.domain.metrics import Chunk
from service.domain.selection.objects import chunk_of, objects


def window(chunks: Iterable[Chunk], offset: int, limit: int) -> Iterator[Chunk]:
    """At most ``limit`` points from the one at ``offset`` (the first is 0) on. Only chunks at its ends are read."""
    end = offset + limit
    start = 0
    for chunk in chunks:
        first, last = max(offset - start, 0), min(end - start, chunk.count)
        if first < last:
            yield chunk if last - first == chunk.count else chunk_of(objects(chunk)[first:last])
        start += chunk.count
        if start >= end:
            return
