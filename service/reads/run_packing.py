"""Packs lists of runs for the store: a first part, a part for each column, then parts of several runs."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

import msgspec

from service.caching import codec
from service.caching.codec import ContentGone, Length, NotAnEntry, Packed
from service.concurrency.time_limit import checkpoint
from service.domain.run_lists import RUN_COLUMNS, ColumnsOfRuns, Rows, RunColumn, RunList, TextColumn
from service.domain.runs import Run

_TOGETHER = 100
"""Runs of a part; a page of a sorted list may need as many parts as it has runs."""
_AT_ONCE = 1000
"""Runs of which the columns are made at once."""
_MOST_PARTS = 10_000


class _First(msgspec.Struct, frozen=True, array_like=True):
    """The number of runs, and of those in each of the parts after the columns."""

    count: Length
    together: Length


def packed(runs: Iterable[Run]) -> Packed:
    """Pack runs, which may be in any order, newest first."""
    encode = msgspec.msgpack.Encoder().encode
    written: list[bytes] = []
    columns = ColumnsOfRuns()
    coming = iter(runs)
    while some_runs := list(islice(coming, _AT_ONCE)):
        written += map(encode, some_runs)
        columns.add(some_runs)
    order = columns.order()
    together = max(_TOGETHER, len(order) // _MOST_PARTS)
    parts = [msgspec.msgpack.encode(_First(len(order), together))]
    parts += map(msgspec.msgpack.encode, columns.in_order(order))
    del columns
    for start in range(0, len(order), together):
        some = order[start : start + together]
        parts.append(_array(len(some)) + b"".join(map(written.__getitem__, some)))
        for row in some:
            written[row] = b""  # otherwise they are in memory twice
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


def _array(count: int) -> bytes:
    """The header of an array of MessagePack."""
    return b"\xdc%b" % count.to_bytes(2, "big") if count < 1 << 16 else b"\xdd%b" % count.to_bytes(4, "big")
