"""Orders of many objects: what a sort says, found without one sort of all."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain import comparison, points
from service.domain.comparison import Aligned, Identity
from service.domain.merge_sort import places, places_of_integers, ranks
from service.domain.series.series import Series
from testing.work import calls, memory

MANY = 45_000


class Key:
    """Counts by a call what compares it; ``least`` has the one that was compared with more than others at once."""

    compared = 0

    def __init__(self, number: int) -> None:
        self.number = number

    def __lt__(self, other: Key) -> bool:
        Key.compared += 1
        return self.number < other.number


@given(st.lists(st.integers(-(2**70), 2**70) | st.integers(-3, 3), max_size=30))
def test_places_are_those_of_a_stable_sort(keys: list[int]) -> None:
    expected = sorted(range(len(keys)), key=keys.__getitem__)
    assert [*places(keys)] == [*places_of_integers(keys)] == expected
    assert [sorted({*keys}).index(key) for key in keys] == ranks(keys).tolist()


@pytest.mark.parametrize("shift", [0, 2**64])
def test_stretches_are_merged(shift: int) -> None:
    keys = [number % 977 + shift for number in range(MANY)]
    random.Random(1).shuffle(keys)
    assert [*places_of_integers(keys)] == [*places(keys)] == sorted(range(MANY), key=keys.__getitem__)


def test_work_grows_in_proportion() -> None:
    numbers = [*range(MANY)]
    random.Random(1).shuffle(numbers)

    def compared(count: int) -> int:
        Key.compared = 0
        [*places([*map(Key, numbers[:count])])]
        return Key.compared

    assert compared(MANY) < 2.3 * compared(MANY // 2)


def _series(steps: range) -> Series:
    texts = [b'{"step":%d,"timestamp":null,"value":1}' % step for step in steps]
    return Series(b'"loss"', b"[]", len(steps), texts[0], texts[-1], None, None, b"null", texts, False)


def _joined(runs: int, steps: int) -> comparison.Joined:
    series = [_series(range(number, runs * steps, runs)) for number in range(runs)]
    return comparison.joined(Aligned(Identity("loss", frozenset()), b"[]", series))


def test_series_that_share_no_step_are_joined_without_a_table_of_all() -> None:
    found = _joined(20, 100)
    assert [bytes(step) for step in found.steps] == [b"%d" % step for step in range(2000)]
    assert [*found.rows()][3] == (b"3", [b"1" if number == 3 else points.NULL for number in range(20)])
    assert memory(lambda: [None for _ in _joined(20, 200).rows()]) < 2.3 * memory(
        lambda: [None for _ in _joined(10, 200).rows()]
    )
    assert calls(lambda: _joined(20, 200)) < 2.3 * calls(lambda: _joined(10, 200))
