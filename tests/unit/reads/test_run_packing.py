"""Lists of runs, packed for the store."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from service.caching import codec
from service.caching.codec import ContentGone, Header, NotAnEntry, Packed
from service.domain.run_lists import RUN_COLUMNS, TextColumn
from service.domain.run_tables import LONGEST, RunTable, Texts
from service.domain.runs import Run
from service.reads import run_packing
from testing.work import MEBIBYTE, memory
from tests.rows import each_row


def runs(count: int) -> list[Run]:
    """Runs of which the last is the newest."""
    return [
        Run(f"run-{number:06}", "COMPLETED", created_at=b'"2026-03-29T%02d:%02d:00Z"' % divmod(number % 1440, 60))
        for number in range(count)
    ]


def texts(given: list[bytes]) -> Texts:
    width = max(map(len, given))
    rows = np.frombuffer(b"".join(each.ljust(width, b"\0") for each in given), np.uint8).reshape(-1, width)
    return Texts(rows, np.array(list(map(len, given)), np.intp))


class Looked(Sequence[bytes]):
    """Parts, and which of them were looked at."""

    def __init__(self, parts: Packed) -> None:
        self.parts = parts
        self.at: list[int] = []

    def __len__(self) -> int:
        return len(self.parts)

    def __getitem__(self, number: int) -> bytes:  # type: ignore[override]
        self.at.append(number)
        return self.parts[number]


def test_runs_come_back_as_they_were_the_newest_first() -> None:
    given = runs(1000)
    stored = run_packing.unpacked(run_packing.packed(given))
    assert stored.runs(range(stored.count)) == given[::-1]
    assert stored.runs([3, 999, 3]) == [given[996], given[0], given[996]]
    none = run_packing.unpacked(run_packing.packed([]))
    assert none.runs(range(none.count)) == []


def test_a_table_is_packed_as_its_runs_are() -> None:
    ids = ["\u00e4" * (length % 2) + "x" * length for length in range(LONGEST - 2)]
    created = [b'"2026-03-29T01:00:00.%dZ"' % number for number in range(1, len(ids) + 1)]
    members = {"run_id": [*map(str.encode, ids)], "status": [b"DEAD"] * len(ids), "created_at": created}
    table = RunTable(len(ids), {name: texts(given) for name, given in members.items()})
    given = [Run(each, "DEAD", created_at=at) for each, at in zip(ids, created, strict=True)]
    assert [*run_packing.packed([table, *given])] == [*run_packing.packed([*given, *given])]


def test_columns_of_distinct_texts_number_none() -> None:
    column = TextColumn.of(b"\xff".join(b"%03d" % number for number in range(300)), np.arange(300)[::-1])
    assert (column.width, column.words[:8]) == (0, b"299\xff298\xff")
    column = TextColumn.of(b"\xff".join([b"aaaaaaaaa", b"aaaaaaaab", b"aaaaaaaaa"]), np.arange(3))
    assert (column.width, column.words, column.rows) == (1, b"aaaaaaaaa\xffaaaaaaaab\xff", b"\0\1\0")


def test_of_runs_created_at_once_the_one_of_the_least_id_comes_first() -> None:
    ids = ["b", "a", "c"]
    stored = run_packing.unpacked(run_packing.packed([Run(each, "DEAD") for each in ids]))
    assert [run.run_id for run in stored.runs(range(3))] == sorted(ids)


def test_a_page_is_looked_for_in_the_parts_that_it_is_in() -> None:
    parts = Looked(run_packing.packed(runs(1400)))
    stored = run_packing.unpacked(parts)
    parts.at.clear()
    assert len(stored.runs(range(550, 600))) == 50
    assert len(parts.at) == 1
    stored.column("status")
    assert len(parts.at) == 2


@each_row("number", range(len(RUN_COLUMNS) + 1))
@each_row("foreign", [b"", b"\x93\xc4\x01\xff\xc4\x00\x00", b"\x93\xc4\x01\xff\xc4\x01\x09\x01", b"\x92\x01\x01"])
def test_parts_that_are_no_list_of_runs_are_none(number: int, foreign: bytes) -> None:
    parts = [*run_packing.packed(runs(3))]
    parts[number] = foreign
    with pytest.raises((NotAnEntry, ContentGone)):
        run_packing.unpacked(parts).column(RUN_COLUMNS[max(0, number - 1)])
    parts = [*run_packing.packed(runs(3))]
    parts[-1] = foreign
    with pytest.raises(ContentGone):
        run_packing.unpacked(parts).runs([0, 2])


def test_a_stored_list_takes_the_memory_of_what_is_looked_at() -> None:
    packed = run_packing.packed(runs(20_000))
    header = Header("value", True, 1.0, codec.digest_of(packed), codec.size_of(packed))
    body = codec.compress(packed)
    del packed

    def page() -> None:
        parts = codec.decompress(body.head, header, lambda: body.rest)
        assert parts is not None
        assert len(run_packing.unpacked(parts).runs(range(100, 150))) == 50

    assert header.size > 2.5 * MEBIBYTE
    assert memory(page) < MEBIBYTE / 2


def test_runs_in_memory_are_not_unpacked_again() -> None:
    parts = Looked(run_packing.packed(runs(300)))
    stored = run_packing.unpacked(parts).with_runs(range(50, 150))
    parts.at.clear()
    assert [run.run_id for run in stored.runs([149, 50])] == ["run-000150", "run-000249"]
    assert not parts.at
    assert [run.run_id for run in stored.runs([150, 50])] == ["run-000149", "run-000249"]
    assert parts.at, "row 150 was not in memory"
