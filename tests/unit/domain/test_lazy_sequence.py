"""Sequences whose elements are loaded on access are like lists."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.lazy_sequence import LazySequence

NUMBERS = st.none() | st.integers(-6, 6)


class Squares(LazySequence[int]):
    def __init__(self, length: int) -> None:
        self.loaded: list[int] = []
        self._length = length

    def __len__(self) -> int:
        return self._length

    def _load_element(self, number: int) -> int:
        self.loaded.append(number)
        return number * number


@given(st.integers(0, 4), NUMBERS, NUMBERS, st.sampled_from([None, 1, 2, -1]))
def test_slices_are_those_of_a_list(length: int, start: int | None, stop: int | None, step: int | None) -> None:
    plain = [number * number for number in range(length)]
    assert Squares(length)[start:stop:step] == plain[start:stop:step]
    assert Squares(length) == plain
    assert Squares(length) != [*plain, 0]


@given(st.integers(0, 4), st.integers(-6, 6))
def test_an_element_is_loaded_alone(length: int, number: int) -> None:
    squares = Squares(length)
    if not -length <= number < length:
        with pytest.raises(IndexError):
            squares[number]
        assert squares.loaded == []
    else:
        assert squares[number] == (number % length) ** 2
        assert squares.loaded == [number % length]
