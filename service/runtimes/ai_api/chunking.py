"""A ``GET /lm/metrics`` answer, however long, cut into stretches of points without reading it as a whole.

Decoding holds the interpreter's lock, and a million points would hold it for half a second. So each ``"metrics":[…]``
is cut where a point seems to end, about every ``STRETCH`` bytes, and each stretch is read by itself. What is left, the
*skeleton* with empty arrays, is read in the end.

Most stretches are used as they are. Of these only their places in the answer are kept, and each is cut out again when
it is needed (``Chunks``), so that a million points are in memory once.

A wrong cut cannot go unnoticed: each stretch, put between ``[`` and ``]``, has to be a list of points, and stretches
and skeleton together are the whole answer. Where a stretch is none, the answer is ``Unusual`` and has to be read as a
whole.

The work is linear whatever the answer is: there is at most one array for each requested run, the search for each cut
is bounded, and at most ``IN_VAIN`` times the answer is read in vain.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from service.domain.errors import BadGateway
from service.domain.metrics import Chunk, Chunks
from service.domain.stretches import search

STRETCH = 256 * 1024
IN_VAIN = 4
_LOOK_AHEAD = 64 * 1024
_TRIES = 3
_END_TRIES = 16
_OPENING = re.compile(rb'"metrics"\s*+:\s*+\[')
_EMPTY = re.compile(rb"\s*\]")
_BETWEEN_LABELLED = re.compile(rb"\]\s*(\})\s*,\s*(?=\{)")
_BETWEEN = re.compile(rb"(\})\s*,\s*(?=\{)")
_BRACKET = re.compile(rb"\]\s*")
_OF_A_RESOURCE = b'"executionId"'
_MEMBERS = rb'"(?:executionId|createdAt|modifiedAt|metrics|tags|customInfo)"'
_END = re.compile(
    rb"(\})\s*(?=\](?:\s*,\s*" + _MEMBERS + rb"|\s*\}\s*(?:\]|,\s*\{\s*" + _MEMBERS + rb")))"
)  # the array ends, and behind it comes a member of the resource, or the resource ends

Read = Callable[[bytes], Chunk]


class Unusual(Exception):
    """The answer cannot be cut; it may be valid nevertheless."""


def cut(
    body: bytes, read: Callable[[], Read], most: int, stretch: int = STRETCH
) -> tuple[bytes, list[Sequence[Chunk]]]:
    """The skeleton, and the chunks of each array in order; ``read()`` begins an array and gives the reader of its
    stretches. Raises ``Unusual``, also for more than ``most`` arrays."""
    cutter = _Cutter(body, stretch, several=most > 1)
    skeleton: list[bytes] = []
    arrays: list[Sequence[Chunk]] = []
    at = 0
    while opening := search(_OPENING, body, at):
        if len(arrays) == most:
            raise Unusual
        skeleton.append(body[at : opening.end()])
        chunks, at = cutter.array(opening.end(), read())
        arrays.append(chunks)
    skeleton.append(body[at:])
    return b"".join(skeleton), arrays


class _Cutter:
    def __init__(self, body: bytes, stretch: int, *, several: bool) -> None:
        self._body = body
        self._several = several
        self._stretch = stretch
        self._in_vain = IN_VAIN * len(body)

    def array(self, at: int, read: Read) -> tuple[Sequence[Chunk], int]:
        """The chunks of the array whose elements begin at ``at``, and where its closing bracket is."""
        chunks = _Stretches(b"" if self._several else self._body)
        if _EMPTY.match(self._body, at):
            return (), at
        last = False
        while not last:
            at, last = self._read(at, read, chunks)
        return Chunks(chunks.counts, chunks.text), at

    def _read(self, at: int, read: Read, chunks: _Stretches) -> tuple[int, bool]:
        """Add the stretch that begins at ``at``; where the next one does, and whether it is the array's last."""
        for end, following, last in self._candidates(at):
            text = self._body[at:end]
            try:
                chunk = read(text)
            except BadGateway:
                self._in_vain -= end - at
                if self._in_vain < 0:
                    break
            else:
                chunks.add(chunk, text, at)
                return following, last
        raise Unusual

    def _candidates(self, at: int) -> Iterator[tuple[int, int, bool]]:
        """Where the stretch from ``at`` may end, where the next one begins, and whether it is the array's last.

        The array's end is tried first where the next run begins within a stretch.
        """
        if self._several and self._body.find(_OF_A_RESOURCE, at, at + self._stretch) >= 0:
            yield from self._ends(at)
            yield from self._between(at)
        else:
            yield from self._between(at)
            yield from self._ends(at)

    def _between(self, at: int) -> Iterator[tuple[int, int, bool]]:
        begin = at + self._stretch
        if begin < len(self._body):
            for pattern in (_BETWEEN_LABELLED, _BETWEEN):
                for found in islice(pattern.finditer(self._body, begin, begin + _LOOK_AHEAD), _TRIES):
                    yield found.end(1), found.end(), False

    def _ends(self, at: int) -> Iterator[tuple[int, int, bool]]:
        """Places where the array may end. Where two nest, as with labels of its last point, the outer comes first."""
        tried = 0
        for found in islice(_END.finditer(self._body, at, at + self._stretch + 2 * _LOOK_AHEAD), _END_TRIES):
            bracket = _BRACKET.match(self._body, found.end())
            around = _END.match(self._body, bracket.end()) if bracket else None
            for end in (around, found):
                if end is not None and end.end() > tried:
                    yield end.end(1), end.end(), True
            tried = max(tried, around.end() if around else found.end())


class _Stretches:
    """Chunks of an answer. Those that are parts of its ``body`` are kept as places in it.

    Where the answer is of several runs, ``body`` is empty, so that no run keeps the answer of all in memory, and every
    chunk is kept as it is.
    """

    def __init__(self, body: bytes) -> None:
        self.counts: list[int] = []
        self._body = body
        self._found: list[bytes | slice] = []

    def add(self, chunk: Chunk, text: bytes, at: int) -> None:
        """A chunk, and the ``text`` it was made of, which is at that place of the body."""
        is_part = self._body and chunk.text is text
        self._found.append(slice(at, at + len(text)) if is_part else chunk.text)
        self.counts.append(chunk.count)

    def text(self, number: int) -> bytes:
        found = self._found[number]
        return self._body[found] if isinstance(found, slice) else found
