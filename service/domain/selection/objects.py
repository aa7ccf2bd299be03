"""A chunk taken apart into the texts of its points, and put together again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence

import msgspec
from msgspec import Raw

from service.domain.metrics import Chunk

POINTS_A_CHUNK = 2000
_BETWEEN = " \t\r\n,"
_objects = msgspec.json.Decoder(list[Raw])
_lenient = json.JSONDecoder(strict=False)


def objects(chunk: Chunk) -> Sequence[Raw | bytes]:
    """The JSON text of each point, as the chunk has it."""
    try:
        return _objects.decode(b"[" + chunk.text + b"]")
    except msgspec.DecodeError:  # a lone surrogate escape
        return list(_leniently(chunk.text.decode("utf-8")))


def chunk_of(texts: Sequence[Raw | bytes]) -> Chunk:
    """One chunk of at least one point."""
    return Chunk(b",".join(texts), len(texts))


def chunks_of(texts: Iterable[Raw | bytes]) -> Iterator[Chunk]:
    """Chunks of the usual size."""
    held: list[Raw | bytes] = []
    for text in texts:
        held.append(text)
        if len(held) == POINTS_A_CHUNK:
            yield chunk_of(held)
            held = []
    if held:
        yield chunk_of(held)


def _leniently(text: str) -> Iterator[bytes]:
    at = 0
    while at < len(text):
        if text[at] in _BETWEEN:
            at += 1
            continue
        _, end = _lenient.raw_decode(text, at)
        yield text[at:end].encode("utf-8")
        at = end
