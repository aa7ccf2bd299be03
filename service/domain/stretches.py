"""Searches long texts in pieces: one search of all would hold the interpreter's lock until its end."""

from __future__ import annotations

import re
from collections.abc import Iterator

AT_ONCE = 1024 * 1024
"""Bytes of a stretch: a few milliseconds for a search or a decoder, a few ten for an expression."""
_OVERLAP = 4096
_BETWEEN_PAIRS = re.compile(rb'\}\s*+,\s*+(?=\{\s*+"(?:name|value)")')
"""From the end of a pair to the beginning of the next."""


def stretches(length: int, start: int = 0) -> Iterator[tuple[int, int]]:
    """Where each begins and ends, from ``start`` to ``length``."""
    for at in range(start, length, AT_ONCE):
        yield at, min(at + AT_ONCE, length)


def find(text: bytes, part: bytes, start: int = 0) -> int:
    """As ``text.find``."""
    while True:
        found = text.find(part, start, start + AT_ONCE + len(part) - 1)
        start += AT_ONCE
        if found >= 0 or start >= len(text):
            return found


def contains(text: str, folded: str) -> bool:
    """Whether the text has that in it, whatever the case; ``folded`` is casefolded."""
    if len(text) <= AT_ONCE:
        return folded in text.casefold()
    return any(folded in text[at : end + len(folded)].casefold() for at, end in stretches(len(text)))


def search(pattern: re.Pattern[bytes], text: bytes, start: int = 0) -> re.Match[bytes] | None:
    """As ``pattern.search``, but that a match of more than 4 kB may not be found."""
    while True:
        found = pattern.search(text, start, start + AT_ONCE + _OVERLAP)
        start += AT_ONCE
        if found is not None or start >= len(text):
            return found


def of_pairs(array: bytes, length: int = AT_ONCE) -> Iterator[bytes]:
    """A JSON array of ``{"name", "value"}`` as several arrays of about ``length`` bytes; longer where a pair is.

    It is cut between two objects that begin with such a member. In no string is such a place, for its quotation marks
    are escaped; in another member of a pair there may be one, and then these are no arrays.
    """
    at = array.find(b"[") + 1
    while (between := search(_BETWEEN_PAIRS, array, at + length)) is not None:
        yield b"[%b]" % array[at : between.start() + 1]
        at = between.end()
    yield b"[" + array[at:]


def each_pair(array: bytes) -> Iterator[bytes]:
    """The pairs of an array that is written ``[{"name":…,"value":…},…]``, without white space."""
    for several in of_pairs(array):
        if len(several) <= 2 * AT_ONCE:  # no string has a line end in it, for JSON has that escaped
            yield from filter(None, several[1:-1].replace(b'},{"name":', b'}\n{"name":').split(b"\n"))
            continue
        at = 1
        while (between := search(_BETWEEN_PAIRS, several, at)) is not None:
            yield several[at : between.start() + 1]
            at = between.end()
        yield several[at:-1]
