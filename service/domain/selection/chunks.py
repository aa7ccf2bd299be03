"""Splits chunks into the texts of their points, and joins them again."""

from __future__ import annotations

import json
from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import accumulate

import msgspec
from msgspec import Raw

from service.concurrency.decoders import json_decoder
from service.concurrency.time_limit import checkpoint
from service.domain import points
from service.domain.metrics import Chunk, counts_of

POINTS_A_CHUNK = 2000
_BYTES_A_CHUNK = 1024 * 1024
_BETWEEN = " \t\r\n,"
_objects = json_decoder(list[Raw])
_lenient = json.JSONDecoder(strict=False)


def objects(chunk: Chunk) -> Sequence[Raw | bytes]:
    """The JSON text of each point, as the chunk has it."""
    try:
        return _objects.decode(b"[" + chunk.text + b"]")
    except msgspec.DecodeError:  # a lone surrogate escape
        return list(_leniently(chunk.text.decode("utf-8")))


def chunks_of(texts: Sequence[Raw] | Sequence[bytes]) -> Iterator[Chunk]:
    """Chunks of as many points, or as many bytes, as are worked on at once; a point that is longer is one by itself."""
    for first in range(0, len(texts), POINTS_A_CHUNK):
        yield from _halved(texts[first : first + POINTS_A_CHUNK])


def _halved(texts: Sequence[Raw | bytes]) -> Iterator[Chunk]:
    if len(texts) == 1 or sum(map(len, texts)) <= _BYTES_A_CHUNK:
        yield chunk_of(texts)
    else:
        half = len(texts) // 2
        yield from _halved(texts[:half])
        yield from _halved(texts[half:])


def chunk_of(texts: Sequence[Raw | bytes]) -> Chunk:
    """One chunk of at least one point."""
    return Chunk(b",".join(texts), len(texts))


def _leniently(text: str) -> Iterator[bytes]:
    at = 0
    while at < len(text):
        if text[at] in _BETWEEN:
            at += 1
            continue
        _, end = _lenient.raw_decode(text, at)
        yield text[at:end].encode("utf-8")
        at = end


_REMEMBERED = 8192
"""Steps in the cache, in other notations than plain digits: with the most digits, some 13 MB."""


def step(literal: bytes) -> int | None:
    """The number of a step's literal, including ``1.0`` and ``1e3``; ``None`` for ``null``."""
    try:
        return int(literal)
    except ValueError:
        return otherwise_written(literal)


@lru_cache(_REMEMBERED)
def otherwise_written(literal: bytes) -> int | None:
    """The number of a step's literal that is no plain integer."""
    return None if literal == points.NULL else int(points.exact(literal))


_HELD = 250_000
"""Points gathered at once, which bounds memory."""


def window(chunks: Sequence[Chunk], offset: int, limit: int) -> Iterator[Chunk]:
    """At most ``limit`` points from ``offset`` (0 for the first) on."""
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
    """The points of ``rows``, in the given order. Each chunk is loaded once for every ``_HELD`` rows."""
    starts = list(accumulate(counts_of(chunks), initial=0))
    for at in range(0, len(rows), _HELD):
        texts = _texts(chunks, starts, rows[at : at + _HELD])
        yield from chunks_of(texts)


def _texts(chunks: Sequence[Chunk], starts: Sequence[int], rows: array[int]) -> list[bytes]:
    texts = [b""] * len(rows)
    for number, places in _by_chunk(starts, rows):
        checkpoint()
        every, start = objects(chunks[number]), starts[number]
        for place in places:
            texts[place] = bytes(every[rows[place] - start])
    return texts


def _by_chunk(starts: Sequence[int], rows: array[int]) -> Iterator[tuple[int, list[int]]]:
    """For each chunk, the positions in ``rows`` of its points."""
    places: dict[int, list[int]] = {}
    for place, row in enumerate(rows):
        places.setdefault(bisect_right(starts, row) - 1, []).append(place)
    yield from places.items()
