"""Filters, orders and windows against plain and slow references."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from decimal import Decimal
from functools import cmp_to_key
from typing import Any

import numpy  # noqa: F401 - loaded before the first example is timed
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.metrics import Chunk
from service.domain.selection.chunks import Room, gathered, window
from service.domain.selection.filters import Filter, matching, selected
from service.domain.selection.instants import instant, instant_of
from service.domain.selection.sorting import FIELDS, SortKey, order
from testing.work import MEBIBYTE, calls, memory
from tests.rows import each_row
from tests.unit.domain.selection.made import (  # fmt: skip
    LABELS,
    NAMES,
    STAMPS,
    STEPS,
    VALUES,
    Made,
    exact_instant,
    exact_step,
    exact_value,
    made_runs,
    texts,
)

given_stamps = st.none() | st.sampled_from([stamp for stamp in STAMPS if stamp != "null"])
given_steps = st.none() | st.sampled_from([-(2**53) - 1, -1, 0, 1, 2, 9007199254740993, 2**65])
given_labels = st.lists(
    st.sampled_from(LABELS) | st.builds("{}:{}".format, st.sampled_from(LABELS), st.sampled_from(VALUES)), max_size=2
)


@given(
    made_runs(), st.lists(st.sampled_from(NAMES), max_size=2), st.sampled_from(["", "LOSS", "strasse", "ß", "="]),
    given_labels, given_steps, given_steps, given_stamps, given_stamps,
)  # fmt: skip
def test_filters(run, names, search, labels, least, greatest, since, until) -> None:
    points, chunks = run

    def within(low: Any, found: Any, high: Any) -> bool:
        if low is None and high is None:
            return True
        return found is not None and (low is None or low <= found) and (high is None or found <= high)

    def wanted(point: Made) -> bool:
        return (
            (not names or point.name in names)
            and search.casefold() in point.name.casefold()
            and all(any(label in {name, f"{name}:{value}"} for name, value in point.labels) for label in labels)
            and within(least, exact_step(point.step), greatest)
            and within(*(stamp and exact_instant(stamp) for stamp in (since, point.timestamp, until)))
        )

    bounds = [stamp and instant(stamp.encode()) for stamp in (since, until)]
    wish = Filter(tuple(names), search, tuple(labels), least, greatest, *bounds)
    expected = [point.text for point in points if wanted(point)]
    assert texts(selected(chunks, wish)) == expected
    if not wish.is_empty:
        assert texts(gathered(chunks, matching(chunks, wish))) == expected


@given(made_runs())
def test_an_empty_filter_costs_nothing(run: tuple[list[Made], tuple[Chunk, ...]]) -> None:
    chunks = run[1]
    assert Filter().is_empty
    assert all(one is other for one, other in zip(chunks, selected(chunks, Filter()), strict=True))


@given(made_runs(), st.permutations(FIELDS), st.integers(1, 4), st.lists(st.booleans(), min_size=4, max_size=4))
def test_orders(run, fields, length, directions) -> None:
    points, chunks = run
    keys = [SortKey(field, down) for field, down in zip(fields[:length], directions, strict=False)]
    meanings: dict[str, Callable[[Made], Any]] = {
        "name": lambda point: point.name,
        "step": lambda point: exact_step(point.step),
        "timestamp": lambda point: exact_instant(point.timestamp),
        "value": lambda point: exact_value(point.value),
    }

    def compare(one: Made, other: Made) -> int:
        for key in keys:
            left, right = meanings[key.field](one), meanings[key.field](other)
            if left is None or right is None:
                if (left is None) != (right is None):
                    return 1 if left is None else -1
            elif left != right:
                return (-1 if left < right else 1) * (-1 if key.descending else 1)
        return 0

    expected = [point.text for point in sorted(points, key=cmp_to_key(compare))]
    assert texts(gathered(chunks, order(chunks, keys))) == expected
    assert texts(gathered(chunks, order(chunks, keys), Room(3, least=2))) == expected
    some = Filter(search="l")
    rows = order(chunks, keys, matching(chunks, some))
    kept = [point.text for point in sorted(points, key=cmp_to_key(compare)) if "l" in point.name.casefold()]
    assert texts(gathered(chunks, rows)) == kept


@given(made_runs(), st.integers(0, 30), st.integers(1, 30))
def test_windows(run, offset, limit) -> None:
    points, chunks = run
    assert texts(window(chunks, offset, limit)) == [point.text for point in points[offset : offset + limit]]


@given(st.sampled_from(STAMPS), st.sampled_from(STAMPS))
def test_instants_compare_as_they_follow_each_other(one: str, other: str) -> None:
    if "null" in {one, other}:
        assert None in {instant(one.encode()), instant(other.encode())}
        return
    left, right = exact_instant(one), exact_instant(other)
    first, second = instant(one.encode()), instant(other.encode())
    assert left is not None and right is not None and first is not None and second is not None  # noqa: PT018
    assert (first < second) == (left < right)


@each_row(
    "text, expected",
    [
        ("2026-03-29T03:00:13.500+02:00", b"2026-03-29T01:00:13.5"),
        ("2026-03-29t01:00:00z", b"2026-03-29T01:00:00"),
        ("2026-03-29", None),
        ("2026-02-30T00:00:00Z", None),
        ("２026-03-29T01:00:00Z", None),
    ],
)
def test_bounds_are_read_from_any_offset(text: str, expected: bytes | None) -> None:
    assert instant_of(text) == expected


def test_every_step_that_a_runtime_may_send_is_known(subtests: pytest.Subtests) -> None:
    for step in STEPS:
        with subtests.test(step):
            chunk = Chunk(b'{"name":"a","value":1,"timestamp":null,"step":%b,"labels":[]}' % step.encode(), 1)
            kept = list(selected([chunk], Filter(min_step=0)))
            assert kept == ([] if step == "null" or Decimal(step) < 0 else [chunk])


def test_a_label_of_nothing_but_colons_takes_no_more_room_than_it_is_long() -> None:
    """Every way to divide it used to be written out: 62 MB for 8 kB."""
    chunk = Chunk(b'{"name":"a","labels":[{"name":"::","value":":"}],"value":1,"step":1,"timestamp":null}', 1)
    assert memory(lambda: list(selected([chunk], Filter(labels=(":" * 8000,))))) < MEBIBYTE
    assert list(selected([chunk], Filter(labels=("::::", "::")))) == [chunk]


def test_labels_asked_for_many_times_are_looked_for_once() -> None:
    points = [
        b'{"name":"a","labels":[{"name":"l","value":"%d"}],"value":1,"step":1,"timestamp":null}' % n for n in range(300)
    ]
    chunk = Chunk(b",".join(points), len(points))

    def work(times: int) -> int:
        return calls(lambda: list(selected([chunk], Filter(labels=("l",) * times))))

    assert work(1000) == work(1)


@each_row("field", FIELDS)
def test_a_chunk_may_hold_no_points(field: Any) -> None:
    point = b'{"name":"a","value":1,"timestamp":"2026-03-29T01:00:00Z","step":1,"labels":[]}'
    assert list(order([Chunk(b"", 0), Chunk(point, 1)], [SortKey(field)])) == [0]


def test_values_that_double_precision_takes_for_one_are_distinguished() -> None:
    values = ["9007199254740993", "9007199254740992", "0.1000000000000000055511151231257827", "0.1", "0.10", "1", "2"]
    point = '{"name":"a","value":%s,"timestamp":null,"step":1,"labels":[]}'
    chunks = [Chunk(",".join(point % value for value in values).encode(), len(values))]
    assert list(order(chunks, [SortKey("value")])) == [3, 4, 2, 5, 6, 1, 0]
    assert list(order(chunks, [SortKey("value", descending=True)])) == [0, 1, 6, 5, 2, 3, 4]


def test_many_objects_are_sorted_in_stretches_and_stay_in_order() -> None:
    """More than one stretch of steps that 64 bits do not hold, each twice: ties keep the order of the points."""
    count = 45_000
    steps = [2**64 + number * 7919 % (count // 2) for number in range(count)]
    text = ",".join(f'{{"name":"a","value":1,"timestamp":null,"step":{step},"labels":[]}}' for step in steps)
    rows = order([Chunk(text.encode(), count)], [SortKey("step")])
    assert list(rows) == sorted(range(count), key=steps.__getitem__)


def test_of_many_answers_that_are_sent_slowly_each_holds_less() -> None:
    room, sizes = Room(1_000_000, least=8_000), list[int]()
    with ExitStack() as stack:
        sizes += [stack.enter_context(room.taken(250_000)) for _ in range(100)]
        assert sizes[:2] == [250_000, 250_000]
        assert min(sizes) == 8_000
        assert sum(sizes) <= 1_000_000 + 100 * 8_000
    with room.taken(250_000) as size:
        assert size == 250_000


@each_row("descending", [False, True])
def test_a_reader_who_stops_at_the_first_points_holds_few(descending: bool) -> None:
    count, readers = 20_000, 5
    point = b'{"name":"Loss","value":0.5,"timestamp":"2026-03-29T01:00:00Z","step":%d,"labels":[]}'
    chunks = tuple(
        Chunk(b",".join(point % step for step in range(start, start + 1000)), 1000) for start in range(0, count, 1000)
    )
    rows = array("i", range(count - 1, -1, -1) if descending else range(count))
    room = Room(0, least=2000)

    def stopped() -> list[Iterator[Chunk]]:
        reading = [gathered(chunks, rows, room) for _ in range(readers)]
        for each in reading:
            next(each)
        return reading

    assert memory(stopped) < readers * 8000 * len(point)
