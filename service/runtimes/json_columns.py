"""JSON objects that are written alike, read as columns: where the cells are, and no object for any of them.

Most writers put down the items of an answer by one routine: the same members in the same order, the same white space.
What differs are strings and numbers. What stands between those in the first object has to stand between them in all
others; then each string, and each number, is a cell of a column. Other text has no columns, and may be valid
nevertheless.

That all objects are JSON of the first one's shape holds if the first is JSON and a column of numbers has numbers in it
(``Column.as_json``): cells of text have no quotation mark, backslash or control character, and all else is the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import msgspec
import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

WIDEST = 128
"""Bytes of a cell that ``Column.cells`` gives."""
_LONGEST = 4096
"""Bytes of the first object."""
_QUOTE, _FIRST_PRINTABLE, _ZERO = 0x22, 0x20, 0x30
_TEN = 10
_OF_AN_INTEGER = 18
"""Digits that fit into 64 bits, whatever they are."""
_COMMA = b","
_TOKEN = re.compile(rb'"([^"]*)"(\s*:)?|(-?[0-9][-+.0-9eE]*)|([\[{])|([\]}])')
_BETWEEN = re.compile(rb"\s*,\s*")

Bytes = NDArray[np.uint8]
Positions = NDArray[np.intp]


class Column(msgspec.Struct, frozen=True):
    """The cells of one member: ``path`` has its key, and those of what it is in; ``first`` is its first cell.

    ``is_text``: cells are strings, without their quotation marks; otherwise they are numbers if ``as_json`` says so.
    """

    path: tuple[bytes, ...]
    first: bytes
    is_text: bool
    begins: Positions
    ends: Positions
    text: Bytes

    @property
    def is_narrow(self) -> bool:
        """Whether no cell is longer than ``WIDEST``."""
        return self.longest <= WIDEST

    @property
    def longest(self) -> int:
        """The bytes of the longest cell."""
        return int((self.ends - self.begins).max())

    @property
    def is_constant(self) -> bool:
        """Whether all cells are as the first."""
        width = len(self.first)
        return bool((self.ends - self.begins == width).all()) and _are(self.text, self.begins, self.first)

    def cells(self, filler: int = 0, more: int = 0) -> Bytes:
        """The cells, none of more than twice ``WIDEST`` bytes, a row for each, with ``filler`` behind the shorter
        ones and ``more`` bytes of it behind all."""
        lengths = self.ends - self.begins
        longest = int(lengths.max())
        width = longest + more
        if not width:
            return np.empty((len(lengths), 0), np.uint8)
        rows = _pieces(self.text, self.begins, width).view(np.uint8).reshape(-1, width)
        if more or lengths.min() < longest:
            behind = np.arange(width) >= np.arange(longest + 1)[:, None]  # a cell of each length
            lacking = behind.view(f"V{width}")[lengths].view(np.bool_).reshape(-1, width)
            np.copyto(rows, np.uint8(filler), where=lacking)
        return rows

    def quoted(self) -> Column:
        """A column of text with the quotation marks around it."""
        return replace(self, begins=self.begins - 1, ends=self.ends + 1)

    def texts(self) -> Iterator[bytes]:
        """The cells, one by one, however long."""
        text = self.text.tobytes()
        return (text[begin:end] for begin, end in zip(self.begins.tolist(), self.ends.tolist(), strict=True))

    def are_digits(self) -> bool:
        """Whether all cells are JSON numbers of at most 18 digits and nothing else."""
        lengths = self.ends - self.begins
        if not lengths.all() or lengths.max() > _OF_AN_INTEGER:
            return False
        cells = self.cells(filler=_ZERO)
        leading = cells[:, 0] == _ZERO
        return bool((cells - np.uint8(_ZERO) < _TEN).all() and not (leading & (lengths > 1)).any())

    def as_json(self) -> bytes:
        """The cells as the items of a JSON array, which is valid if and only if all of them are numbers."""
        cells = self.cells(filler=ord(" "), more=1)
        cells[:, -1] = ord(_COMMA)
        return b"[" + cells.tobytes()[:-1] + b"]"


class Columns(msgspec.Struct, frozen=True):
    """``first`` is the first of ``count`` objects."""

    first: bytes
    count: int
    columns: tuple[Column, ...]

    def at(self, path: tuple[bytes, ...]) -> Sequence[Column]:
        """The columns of that path; several where an array or a member is written more than once."""
        return [column for column in self.columns if column.path == path]


def columns(text: bytes) -> Columns | None:
    """The columns of JSON objects, commas between them; ``None`` where they are not all written alike."""
    if b"\\" in text or not _is_unicode(text):
        return None
    form = _Form.of(text)
    if form is None:
        return None
    head, *behind = form.fixed
    length = len(text) + len(form.between) + len(head)
    spare = b" " * max(2 * WIDEST, *map(len, behind))
    padded = np.frombuffer(b"".join((text, form.between, head, spare)), np.uint8)
    if padded.min() < _FIRST_PRINTABLE:
        return None
    quotes = np.flatnonzero(padded == _QUOTE)[head.count(b'"') :]
    count, left = divmod(len(quotes), sum(fixed.count(b'"') for fixed in behind))
    if left or not count or count * sum(map(len, behind)) > length:  # comparing those would take more memory than text
        return None
    quotes = quotes.reshape(count, -1)
    ends: list[Positions] = []
    at = 0
    for fixed in behind:
        end = quotes[:, at] - fixed.index(b'"')
        if end[0] < 0 or end[-1] + len(fixed) > length or not _are(padded, end, fixed):
            return None
        ends.append(end)
        at += fixed.count(b'"')
    nexts = [end + len(fixed) for end, fixed in zip(ends, behind, strict=True)]
    begins = [np.concatenate(([len(head)], nexts[-1][:-1])), *nexts[:-1]]
    if any((end < begin).any() for begin, end in zip(begins, ends, strict=True)):
        return None
    each = zip(form.cells, begins, ends, strict=True)
    return Columns(text[: form.end], count, tuple(Column(*cell, begin, end, padded) for cell, begin, end in each))


class _Form(msgspec.Struct, frozen=True):
    """How the first object is written, up to ``end``: path and content of each cell, and whether it is text; what is
    ``fixed`` in front of the first, behind each, and, behind the last, up to the first cell of the next object."""

    end: int
    between: bytes
    cells: tuple[tuple[tuple[bytes, ...], bytes, bool], ...]
    fixed: tuple[bytes, ...]

    @classmethod
    def of(cls, text: bytes) -> _Form | None:
        cells: list[tuple[tuple[bytes, ...], bytes, bool]] = []
        fixed: list[bytes] = []
        at = end = 0
        for path, start, stop in _tokens(text):
            if path is None:
                end = stop
                break
            cells.append((path, text[start:stop], text[stop : stop + 1] == b'"'))
            fixed.append(text[at:start])
            at = stop
        between = _BETWEEN.match(text, end)
        if not end or not cells or between is None:
            return None
        fixed.append(text[at:end] + between[0] + fixed[0])
        if not all(b'"' in part for part in fixed[1:]):
            return None
        return cls(end, between[0], tuple(cells), tuple(fixed))


def _tokens(text: bytes) -> Iterator[tuple[tuple[bytes, ...] | None, int, int]]:
    """The strings and numbers of the first object: the path of each, and where it is; ``None`` for the object's end."""
    path: list[bytes] = []
    key = b""
    for token in _TOKEN.finditer(text, 0, _LONGEST):
        string, is_key, number, opening, closing = token.groups()
        if is_key is not None:
            key = string
        elif string is not None or number is not None:
            group = 1 if string is not None else 3
            yield (*path[1:], key), *token.span(group)
        elif opening:
            path.append(key)
            key = b""
        elif closing:
            path = path[:-1]
            key = b""
            if not path:
                yield None, token.start(), token.end()
                return


def _pieces(text: Bytes, begins: Positions, width: int) -> NDArray[np.void]:
    """So many bytes from each of these places on."""
    all_of_them: NDArray[np.void] = np.ndarray((len(text) - width + 1,), f"V{width}", text, strides=(1,))
    return all_of_them[begins]


def _are(text: Bytes, begins: Positions, part: bytes) -> bool:
    """Whether ``part`` stands at each of these places."""
    return not part or _pieces(text, begins, len(part)).tobytes() == part * len(begins)


def _is_unicode(text: bytes) -> bool:
    if text.isascii():
        return True
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
