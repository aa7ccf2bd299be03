"""Packs lists of runs for the store: a first part, a part for each column, then parts of several runs."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, repeat

import msgspec
import numpy as np
from numpy.typing import NDArray

from service.caching import codec
from service.caching.codec import ContentGone, Length, NotAnEntry, Packed
from service.concurrency.time_limit import checkpoint
from service.domain.run_lists import RUN_COLUMNS, ColumnsOfRuns, Rows, RunColumn, RunList, TextColumn
from service.domain.run_tables import RunTable
from service.domain.runs import NULL, Run
from service.memory import allocator

_TOGETHER = 100
"""Runs of a part; a page of a sorted list may need as many parts as it has runs."""
_AT_ONCE = 1000
"""Runs of which the columns are made at once."""
_MOST_PARTS = 10_000
_LARGE = 8 * 1024 * 1024
"""Bytes of packed runs from which on it is worth while to return what was freed: more than twice as many were needed on
the way, and would stay in pieces too small for the next list."""
_TEXTS = frozenset({"run_id", "status"})
"""The members of a run that are texts; the others are bytes, but for a number."""
_ARRAY = bytes((0x90 + len(Run.__struct_fields__),))
_BYTES, _TEXT, _SHORT_TEXT, _LONGEST_SHORT = 0xC4, 0xD9, 0xA0, 31
_NULL = bytes((_BYTES, len(NULL))) + NULL
"""MessagePack: an array of so many, bytes and text with a length of one byte, and short text."""
_ZERO = b"\xc1"
_ZERO_WRITTEN = bytes.maketrans(_ZERO, b"\0")
"""A byte that occurs neither in MessagePack nor in UTF-8, and the number that is written in its place."""


class _First(msgspec.Struct, frozen=True, array_like=True):
    """The number of runs, and of those in each of the parts after the columns."""

    count: Length
    together: Length


def packed(runs: Iterable[Run | RunTable]) -> Packed:
    """Pack runs, which may be in any order, newest first."""
    parts = _parts(runs)
    if codec.size_of(parts) > _LARGE:
        allocator.return_freed()
    return parts


def _parts(runs: Iterable[Run | RunTable]) -> Packed:
    rows = _Rows()
    columns = ColumnsOfRuns()
    is_large = False
    for some in _together(runs):
        rows.add(some)
        columns.add(some)
        if not is_large and rows.size > _LARGE:
            is_large = True
            allocator.return_freed()  # what the list before it left
        del some  # before the next ones are read
    order = columns.order()
    together = max(_TOGETHER, len(order) // _MOST_PARTS)
    parts = [msgspec.msgpack.encode(_First(len(order), together))]
    parts += map(msgspec.msgpack.encode, columns.in_order(order))
    del columns
    for start in range(0, len(order), together):
        some_rows = order[start : start + together].tolist()
        parts.append(_array(len(some_rows)) + rows.joined(some_rows))
    return parts


def unpacked(parts: Packed) -> RunList:
    """The list; its columns and runs are unpacked on each access, and raise ``ContentGone`` then.

    Raises ``NotAnEntry`` for anything but a list of runs.
    """
    first = codec.unpack(parts, _First)
    behind = 1 + len(RUN_COLUMNS)
    if not first.together or len(parts) != behind + -(-first.count // first.together):
        raise NotAnEntry
    number_of = {name: number for number, name in enumerate(RUN_COLUMNS, 1)}

    def column(name: RunColumn) -> TextColumn:
        checkpoint()
        try:
            found = codec.unpack_part(parts[number_of[name]], TextColumn)
        except NotAnEntry:
            raise ContentGone from None
        if not found.fits(first.count):
            raise ContentGone
        return found

    def runs(rows: Rows) -> list[Run]:
        """The runs of these rows; each part is unpacked once."""
        wanted: dict[int, list[tuple[int, int]]] = {}
        for place, row in enumerate(rows):
            number, at = divmod(row, first.together)
            wanted.setdefault(number, []).append((place, at))
        found: dict[int, Run] = {}
        for number, places in wanted.items():
            checkpoint()
            try:
                written = codec.unpack_part(parts[behind + number], list[msgspec.Raw])
                some = codec.unpack_each([written[at] for _, at in places], Run)
            except (NotAnEntry, IndexError):
                raise ContentGone from None
            found.update(zip((place for place, _ in places), some, strict=True))
        return [found[place] for place in range(len(rows))]

    return RunList(first.count, column, runs)


def _together(runs: Iterable[Run | RunTable]) -> Iterator[Sequence[Run] | RunTable]:
    some: list[Run] = []
    for each in runs:
        if isinstance(each, RunTable):
            yield each
            del each
            continue
        some.append(each)
        if len(some) == _AT_ONCE:
            yield some
            some = []
    if some:
        yield some


class _Rows:
    """Runs as they are encoded, many in one text, since an object for each takes more memory."""

    def __init__(self) -> None:
        self._encode = msgspec.msgpack.Encoder().encode
        self._texts: list[bytes] = []
        self.size = 0
        self._place = array("I"), array("I"), array("I")
        """The number of each one's text, its begin there, and its end."""

    def add(self, runs: Sequence[Run] | RunTable) -> None:
        if isinstance(runs, RunTable):
            text, ends = _encoded(runs)
        else:
            encoded = list(map(self._encode, runs))
            text, ends = b"".join(encoded), list(accumulate(map(len, encoded)))
        for numbers, more in zip(
            self._place, (repeat(len(self._texts), len(ends)), (0, *ends[:-1]), ends), strict=True
        ):
            numbers.extend(more)
        self._texts.append(text)
        self.size += len(text)

    def joined(self, rows: Sequence[int]) -> bytes:
        """These of the runs, counted as they were added."""
        texts, (number, begin, end) = self._texts, self._place
        return b"".join([texts[number[row]][begin[row] : end[row]] for row in rows])


def _encoded(table: RunTable) -> tuple[bytes, Sequence[int]]:
    """The runs, one behind the other, each as ``Run`` is encoded, and where each ends.

    They are written side by side, with zero bytes where one has less than another; these are removed from all at once.
    """
    pieces: list[bytes | NDArray[np.uint8]] = [_ARRAY]
    lengths: int | NDArray[np.intp] = len(_ARRAY)
    for name in Run.__struct_fields__:
        texts = table.members.get(name)
        if texts is None:
            pieces.append(_ZERO if name == "unreadable" else _NULL)
            lengths = lengths + len(pieces[-1])
            continue
        head = np.empty((table.count, 2), np.uint8)
        head[:, 0], head[:, 1] = _BYTES, texts.lengths
        lengths = lengths + 2 + texts.lengths
        if name in _TEXTS:
            is_short = texts.lengths <= _LONGEST_SHORT
            head[:, 0] = np.where(is_short, 0, _TEXT)
            head[:, 1] += is_short * np.uint8(_SHORT_TEXT)
            lengths = lengths - is_short
        pieces += (head, texts.rows)
    text = _side_by_side(pieces, table.count).tobytes().translate(_ZERO_WRITTEN, b"\0")
    return text, np.broadcast_to(lengths, table.count).cumsum().tolist()


def _side_by_side(pieces: Sequence[bytes | NDArray[np.uint8]], count: int) -> NDArray[np.uint8]:
    """So many rows, bytes the same in each."""
    widths = [len(piece) if isinstance(piece, bytes) else piece.shape[1] for piece in pieces]
    rows = np.empty((count, sum(widths)), np.uint8)
    for piece, width, end in zip(pieces, widths, accumulate(widths), strict=True):
        rows[:, end - width : end] = np.frombuffer(piece, np.uint8) if isinstance(piece, bytes) else piece
    return rows


def _array(count: int) -> bytes:
    """The header of an array of MessagePack."""
    return b"\xdc%b" % count.to_bytes(2, "big") if count < 1 << 16 else b"\xdd%b" % count.to_bytes(4, "big")
