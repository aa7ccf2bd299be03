"""What is remembered while points are written goes with the answer, or is little; the work is in proportion to them."""

from __future__ import annotations

import gc
import sys
import tracemalloc
from collections.abc import Callable

import pytest

from service.api.resources.points.to_table import Table
from service.domain.column_types import types_of
from service.domain.metrics import MOST_STEP_DIGITS, Chunk
from service.domain.selection.chunks import otherwise_written
from service.domain.zones import time_zone
from testing.work import calls

MEGABYTE = 1_000_000


def held_after(task: Callable[[], object]) -> int:
    """Bytes that are still held once it is done."""
    tracemalloc.start()
    try:
        task()
        gc.collect()
        return tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()


def test_names_of_a_table_are_forgotten_with_it() -> None:
    pytest.importorskip("pyarrow")
    point = b'{"name":"%d%b","value":1,"timestamp":null,"step":1,"labels":[]}'

    def write(first: int) -> None:
        chunk = Chunk(b",".join(point % (number, b"n" * 10_000) for number in range(first, first + 200)), 200)
        for _ in Table([], types_of([chunk]), time_zone("UTC"), ()).parquet([("run1", chunk)]):
            pass

    write(0)  # what is loaded once is there
    assert held_after(lambda: write(200)) < MEGABYTE


def test_long_steps_are_remembered_within_bounds() -> None:
    most = otherwise_written.cache_info().maxsize
    assert most is not None
    assert most * (MOST_STEP_DIGITS + sys.getsizeof(10**MOST_STEP_DIGITS)) < 20 * MEGABYTE


def test_a_file_of_many_short_chunks_takes_work_in_proportion_to_them() -> None:
    pytest.importorskip("pyarrow")
    chunk = Chunk(b'{"name":"Loss","value":1,"timestamp":null,"step":1,"labels":[]}', 1)

    def work(count: int) -> int:
        table = Table([], types_of([chunk]), time_zone("UTC"), ())
        return calls(lambda: list(table.parquet(("run1", chunk) for _ in range(count))))

    work(1)
    assert work(400) < 2.2 * work(200)
