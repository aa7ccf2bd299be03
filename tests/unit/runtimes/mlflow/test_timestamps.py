"""MLflow's instants as text: what the standard library writes for them."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import example, given
from hypothesis import strategies as st

from service.runtimes.mlflow.timestamps import FIRST, LAST, texts

_EPOCH = datetime(1970, 1, 1)
_INSTANTS = st.integers(FIRST, LAST)


@given(st.lists(_INSTANTS | st.integers(-(10**8), 10**8), max_size=20))
@example([FIRST, LAST, -1, 0, 999, 86_399_999, 86_400_000])
def test_they_are_written_as_by_the_standard_library(instants: list[int]) -> None:
    expected = [(_EPOCH + timedelta(milliseconds=each)).isoformat(timespec="milliseconds") + "Z" for each in instants]
    assert texts(instants) == [text.encode() for text in expected]


@given(st.lists(_INSTANTS, max_size=5), st.sampled_from([FIRST - 1, LAST + 1, 2**63 - 1, -(2**63)]))
def test_of_an_instant_without_a_text_there_are_none(instants: list[int], other: int) -> None:
    assert texts([*instants, other]) is None
