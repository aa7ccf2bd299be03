"""Which points are wanted is worked out once; a page unpacks what it shows."""

from __future__ import annotations

import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest

from service.api.http.large_work import LargeWork
from service.api.resources.metric_resource.selected_points import SelectedPoints
from service.domain.freshness import Provenance, Snapshot, Source
from service.domain.metrics import Chunk, Chunks, MetricResource
from service.domain.selection.chunks import gathered, window
from service.domain.selection.filters import Filter
from service.domain.selection.sorting import SortKey
from service.reads.results import Read

A_CHUNK, CHUNKS = 20, 30
EVERY = A_CHUNK * CHUNKS
DOWN = (SortKey("value", descending=True),)


class Stored:
    """A run whose chunks are counted when they are looked at."""

    def __init__(self, digest: bytes = b"1", key: str = "run") -> None:
        self.looked_at: list[int] = []
        resource = MetricResource("run1", metrics=Chunks([A_CHUNK] * CHUNKS, self._load), count=EVERY)
        provenance = Provenance(Source.STORED, 0, 1, 1)
        self.run = Read(key, digest, provenance, lambda: resource, Snapshot(digest, 1000))

    @property
    def chunks(self) -> Chunks:
        found = self.run.content().metrics
        assert isinstance(found, Chunks)
        return found

    def _load(self, number: int) -> bytes:
        self.looked_at.append(number)
        return b",".join(
            b'{"name":"a","value":%d,"timestamp":null,"step":%d,"labels":[{"name":"l%d","value":"x"}]}'
            % (step * 7919 % EVERY, step, step % 3)
            for step in range(number * A_CHUNK, (number + 1) * A_CHUNK)
        )


def selected_points(max_bytes: int = 10**6) -> SelectedPoints:
    return SelectedPoints(LargeWork(), max_bytes)


def test_an_order_is_worked_out_once_and_a_page_of_it_unpacks_one_chunk() -> None:
    stored, known = Stored(), selected_points()
    rows = known.rows(stored.run, Filter(), DOWN)
    assert rows is not None
    assert sorted(stored.looked_at) == list(range(CHUNKS))
    stored.looked_at.clear()
    again = known.rows(stored.run, Filter(), DOWN)
    assert again is rows
    page = list(gathered(stored.chunks, rows[100:101]))
    assert [b'"value":499,' in chunk.text for chunk in page] == [True]
    assert len(stored.looked_at) == 1


def test_a_page_in_the_runs_own_order_unpacks_one_chunk() -> None:
    stored = Stored()
    found = list(window(stored.chunks, EVERY - 1, 1))
    assert [chunk.count for chunk in found] == [1]
    assert stored.looked_at == [CHUNKS - 1]


def test_a_filter_is_worked_out_once_for_all_orders() -> None:
    stored, known = Stored(), selected_points()
    wanted = Filter(min_step=EVERY - 5)
    rows = known.rows(stored.run, wanted, ())
    assert rows is not None
    assert list(rows) == list(range(EVERY - 5, EVERY))
    stored.looked_at.clear()
    ordered = known.rows(stored.run, wanted, DOWN)
    assert ordered is not None
    assert sorted(ordered) == list(rows)
    assert set(stored.looked_at) == {CHUNKS - 1}


def test_label_names_are_worked_out_once() -> None:
    stored, known = Stored(), selected_points()
    assert known.label_names(stored.run, Filter()) == ("l0", "l1", "l2")
    assert known.label_names(stored.run, Filter(min_step=EVERY - 1)) == (f"l{(EVERY - 1) % 3}",)
    stored.looked_at.clear()
    known.label_names(stored.run, Filter())
    assert stored.looked_at == []


def test_label_names_that_are_stored_with_the_run_need_no_look_at_its_points() -> None:
    stored, known = Stored(), selected_points()
    resource = msgspec.structs.replace(stored.run.content(), label_names=("l0", "l1", "l2"))
    run = msgspec.structs.replace(stored.run, content=lambda: resource)
    assert known.label_names(run, Filter()) == ("l0", "l1", "l2")
    assert stored.looked_at == []
    assert known.label_names(run, Filter(min_step=EVERY - 1)) == (f"l{(EVERY - 1) % 3}",)


def test_those_who_ask_together_share_the_work() -> None:
    stored, known = Stored(), selected_points()
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: known.rows(stored.run, Filter(), DOWN), range(8)))
    assert all(rows is found[0] for rows in found)
    assert len(stored.looked_at) == CHUNKS


@pytest.mark.parametrize("other", [Stored(digest=b"2"), Stored(key="another tenant's run")])
def test_another_content_or_entry_is_another_arrangement(other: Stored) -> None:
    stored, known = Stored(), selected_points()
    known.rows(stored.run, Filter(), DOWN)
    other.looked_at.clear()
    known.rows(other.run, Filter(), DOWN)
    assert len(other.looked_at) == CHUNKS


def test_memory_is_bounded() -> None:
    known = selected_points(4 * EVERY + 1000)  # room for one
    first, second = Stored(), Stored(digest=b"2")
    for stored in (first, second):
        known.rows(stored.run, Filter(), DOWN)
        stored.looked_at.clear()
    known.rows(second.run, Filter(), DOWN)
    assert second.looked_at == []
    known.rows(first.run, Filter(), DOWN)
    assert len(first.looked_at) == CHUNKS


def test_chunks_compare_as_what_they_hold() -> None:
    stored = Stored()
    assert stored.chunks == tuple(stored.chunks)
    assert stored.chunks[1:3] == [stored.chunks[1], stored.chunks[2]]
    assert stored.chunks[-1] == Chunk(stored.chunks[CHUNKS - 1].text, A_CHUNK)


def test_what_long_filters_ask_for_takes_no_more_memory_than_what_short_ones_do() -> None:
    stored, known = Stored(), selected_points()
    tracemalloc.start()
    try:
        for number in range(25):
            wanted = Filter(search=f"{number} " + "a" * 20_000)
            assert known.rows(stored.run, wanted, ()) is not None
            known.label_names(stored.run, wanted)
        taken = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert taken < 25 * 20_000
