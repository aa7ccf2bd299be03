"""Splits chunks into the texts of their points, and joins them again."""

from __future__ import annotations

import json
import threading
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from itertools import accumulate

import msgspec
import numpy as np
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


_MOST_HELD = 250_000
"""Points gathered at once, for which each chunk is loaded once."""


class Room:
    """Room for points that answers hold while they are sent, however slowly their clients read: for ``size``, and
    beyond that ``least`` for each answer. Thread-safe."""

    def __init__(self, size: int, least: int) -> None:
        self._left = size
        self._least = least
        self._lock = threading.Lock()

    @contextmanager
    def taken(self, wanted: int) -> Iterator[int]:
        """A context with room for ``wanted`` points, or for fewer, so that there is some left for others."""
        with self._lock:
            size = min(wanted, max(self._least, self._left // 2))
            self._left -= size
        try:
            yield size
        finally:
            with self._lock:
                self._left += size


_ROOM = Room(1_000_000, least=8_000)
"""That of all answers of a process."""


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


def gathered(chunks: Sequence[Chunk], rows: array[int] | memoryview, room: Room = _ROOM) -> Iterator[Chunk]:
    """The points of ``rows``, in the given order."""
    starts = list(accumulate(counts_of(chunks), initial=0))
    numbers = np.frombuffer(rows, np.intc)
    if (numbers[1:] > numbers[:-1]).all():
        yield from _ascending(chunks, starts, rows)
        return
    with room.taken(min(len(rows), _MOST_HELD)) as held:
        for at in range(0, len(rows), held):
            yield from chunks_of(_texts(chunks, starts, rows[at : at + held]))


def _ascending(chunks: Sequence[Chunk], starts: Sequence[int], rows: array[int] | memoryview) -> Iterator[Chunk]:
    """As ``gathered``: each chunk is loaded once, and no more is held than makes a chunk."""
    texts: list[bytes] = []
    first = 0
    while first < len(rows):
        number = bisect_right(starts, rows[first]) - 1
        last = bisect_left(rows, starts[number + 1], first)
        checkpoint()
        every, start = objects(chunks[number]), starts[number]
        texts += [bytes(every[row - start]) for row in rows[first:last]]
        first = last
        if len(texts) >= POINTS_A_CHUNK or first == len(rows):
            yield from chunks_of(texts)
            texts = []


def _texts(chunks: Sequence[Chunk], starts: Sequence[int], rows: array[int] | memoryview) -> list[bytes]:
    texts = [b""] * len(rows)
    for number, places in _by_chunk(starts, rows):
        checkpoint()
        every, start = objects(chunks[number]), starts[number]
        for place in places:
            texts[place] = bytes(every[rows[place] - start])
    return texts


def _by_chunk(starts: Sequence[int], rows: array[int] | memoryview) -> Iterator[tuple[int, list[int]]]:
    """For each chunk, the positions in ``rows`` of its points."""
    places: dict[int, list[int]] = {}
    for place, row in enumerate(rows):
        places.setdefault(bisect_right(starts, row) - 1, []).append(place)
    yield from places.items()
