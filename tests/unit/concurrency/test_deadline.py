"""Deadlines: moments, of which the earlier one counts."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from service.concurrency.deadline import Deadline

SECONDS = st.floats(-1e6, 1e6)


def test_a_deadline_that_is_over_has_no_time_left() -> None:
    over = Deadline.after(-1)
    assert over.expired
    assert over.remaining() == 0.0


def test_one_to_come_has_at_most_the_time_it_was_given() -> None:
    ahead = Deadline.after(60)
    assert not ahead.expired
    assert 0.0 < ahead.remaining() <= 60.0


@given(SECONDS, SECONDS)
def test_sooner_is_the_earlier_of_the_two(given: float, asked: float) -> None:
    whole = Deadline.after(given)
    before = time.monotonic()
    limited = whole.sooner(asked)
    assert limited.at == min(whole.at, limited.at)
    assert limited == whole or before + asked <= limited.at <= time.monotonic() + asked


@given(SECONDS)
def test_earlier_is_that_many_seconds_before(seconds: float) -> None:
    whole = Deadline.after(60)
    assert whole.earlier(seconds) == Deadline(whole.at - seconds)
