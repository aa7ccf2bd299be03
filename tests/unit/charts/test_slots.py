"""Slots: every mark in one, none moved."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from service.charts.panels import Mark, Trace
from service.charts.slots import slots

PLACES = st.lists(
    st.one_of(st.integers(-(10**9), 10**9).map(float), st.floats(-1e9, 1e9)), min_size=1, max_size=60, unique=True
)


def trace(places: list[float]) -> Trace:
    return Trace("t", [Mark(Raw(b"0"), place, Raw(b"1"), repr(place), "1") for place in sorted(places)])


@given(PLACES, st.integers(1, 20))
def test_each_slot_holds_its_last_mark(places: list[float], at_most: int) -> None:
    whole = trace(places)
    made = slots([whole], at_most)
    thin = made.thin(whole)
    assert all(mark in whole.marks for mark in thin.marks)
    assert thin.marks[-1] == whole.marks[-1]
    numbers = [made.number(mark.place) for mark in thin.marks]
    assert numbers == sorted(set(numbers))
    assert set(numbers) <= set(made.numbers([whole]))
    assert len(made.numbers([whole])) <= at_most


@given(PLACES)
def test_few_places_have_a_slot_each(places: list[float]) -> None:
    whole = trace(places)
    assert slots([whole], 60).thin(whole) == whole


@given(st.lists(st.integers(0, 10**6).map(float), min_size=2, max_size=60, unique=True), st.integers(1, 20))
def test_slots_of_whole_numbers_begin_and_end_at_whole_numbers(places: list[float], at_most: int) -> None:
    made = slots([trace(places)], at_most)
    for place in places:
        begin, end = made.bounds(made.number(place))
        assert begin.is_integer()
        assert begin <= place <= (end if made.width is None else end - 1)
