"""A ``GET /lm/metrics`` answer, however long, cut into stretches of points without reading it as a whole.

Decoding holds the interpreter's lock, and a million points would hold it for half a second. So each ``"metrics":[…]``
is cut where a point seems to end, about every ``STRETCH`` bytes, and each stretch is read by itself. What is left, the
*skeleton* with empty arrays, is read in the end.

A cut that was wrong cannot go unnoticed: a stretch that reads as a list of points, between ``[`` and ``]``, is one
wherever it came from, and stretches and skeleton put together again are the answer. Whatever does not read so is
``Unusual``, and the answer has to be read as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from service.domain.errors import BadGateway
from service.domain.metrics import Chunk

STRETCH = 256 * 1024
_LOOK_AHEAD = 64 * 1024
_TRIES = 3
_END_TRIES = 16
_OPENING = re.compile(rb'"metrics"\s*:\s*\[')
_EMPTY = re.compile(rb"\s*\]")
_BETWEEN_LABELLED = re.compile(rb"\]\s*(\})\s*,\s*(?=\{)")
_BETWEEN = re.compile(rb"(\})\s*,\s*(?=\{)")
_MEMBERS = rb'"(?:executionId|createdAt|modifiedAt|metrics|tags|customInfo)"'
_END = re.compile(
    rb"(\})\s*(?=\](?:\s*,\s*" + _MEMBERS + rb"|\s*\}\s*(?:\]|,\s*\{\s*" + _MEMBERS + rb")))"
)  # the array ends, and behind it comes a member of the resource, or the resource ends

Read = Callable[[bytes], Chunk]


class Unusual(Exception):
    """The answer cannot be cut; it may be good all the same."""


def cut(body: bytes, read: Callable[[], Read], stretch: int = STRETCH) -> tuple[bytes, list[list[Chunk]]]:
    """The skeleton, and the chunks of each array in order; ``read()`` begins an array and gives the reader of its
    stretches. Raises ``Unusual``."""
    skeleton, arrays, at = [], [], 0
    while opening := _OPENING.search(body, at):
        skeleton.append(body[at : opening.end()])
        chunks, at = _array(body, opening.end(), read(), stretch)
        arrays.append(chunks)
    skeleton.append(body[at:])
    return b"".join(skeleton), arrays


def _array(body: bytes, at: int, read: Read, stretch: int) -> tuple[list[Chunk], int]:
    """The chunks of the array whose elements begin at ``at``, and where its closing bracket is."""
    chunks: list[Chunk] = []
    if _EMPTY.match(body, at):
        return chunks, at
    last = False
    while not last:
        chunk, at, last = _stretch(body, at, read, stretch)
        chunks.append(chunk)
    return chunks, at


def _stretch(body: bytes, at: int, read: Read, stretch: int) -> tuple[Chunk, int, bool]:
    """The stretch that begins at ``at``, where the next one does, and whether it is the array's last."""
    for end, following, last in _candidates(body, at, stretch):
        try:
            return read(body[at:end]), following, last
        except BadGateway:
            continue
    raise Unusual


def _candidates(body: bytes, at: int, stretch: int) -> Iterator[tuple[int, int, bool]]:
    """Where the stretch from ``at`` may end, where the next one begins, and whether it is the array's last."""
    if len(body) - at > stretch:
        begin = at + stretch
        for pattern in (_BETWEEN_LABELLED, _BETWEEN):
            for _, found in zip(range(_TRIES), pattern.finditer(body, begin, begin + _LOOK_AHEAD), strict=False):
                yield found.end(1), found.end(), False
    for _, found in zip(range(_END_TRIES), _END.finditer(body, at, at + stretch + 2 * _LOOK_AHEAD), strict=False):
        yield found.end(1), found.end(), True
