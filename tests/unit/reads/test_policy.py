"""RFC 9111 section 4.2 and RFC 5861 as a table: lifetime 10 s while running, 100 s once ended."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.reads.policy import CLOCK_SKEW, Freshness, Kind, Lifetimes, State, judge

LIFETIMES = Lifetimes(
    fresh_running=10, fresh_finished=100, stale_while_revalidate=30, stale_if_error=1000, remembered_absence=5
)
NOW = 1_800_000_000.0
FRESH, USABLE, ERROR_ONLY, EXPIRED = State


@pytest.mark.parametrize(
    ("kind", "age", "ttl", "state"),
    [
        (Kind.CHANGING, 0, 10, FRESH),
        (Kind.CHANGING, 9, 1, FRESH),
        (Kind.CHANGING, 10, 0, USABLE),  # RFC 9111, 4.2: fresh only while the lifetime exceeds the age
        (Kind.CHANGING, 40, -30, USABLE),  # RFC 5861, 3: up to the indicated number of seconds
        (Kind.CHANGING, 41, -31, ERROR_ONLY),
        (Kind.CHANGING, 1010, -1000, ERROR_ONLY),  # RFC 5861, 4
        (Kind.CHANGING, 1011, -1001, EXPIRED),
        (Kind.ENDED, 99, 1, FRESH),
        (Kind.ENDED, 100, 0, USABLE),
        (Kind.ENDED, 131, -31, ERROR_ONLY),
        (Kind.ENDED, 1101, -1001, EXPIRED),
        (Kind.ABSENT, 4, 1, FRESH),
        (Kind.ABSENT, 5, 0, EXPIRED),  # absence is never given once stale
    ],
)
def test_state_by_age(kind: Kind, age: float, ttl: float, state: State) -> None:
    assert judge(kind, NOW - age, NOW, LIFETIMES) == Freshness(age, ttl, state)


@pytest.mark.parametrize(
    ("ahead", "state"),
    [(0.5, FRESH), (CLOCK_SKEW, FRESH), (CLOCK_SKEW + 1, EXPIRED), (1e9, EXPIRED), (math.inf, EXPIRED)],
)
def test_an_answer_from_the_future_is_new_or_its_clock_was_wrong(ahead: float, state: State) -> None:
    freshness = judge(Kind.CHANGING, NOW + ahead, NOW, LIFETIMES)
    assert (freshness.age, freshness.state) == (0, state)


def test_a_moment_that_is_no_number_is_expired() -> None:
    assert judge(Kind.ENDED, math.nan, NOW, LIFETIMES).state is EXPIRED


def test_a_stale_if_error_shorter_than_stale_while_revalidate_cuts_nothing_off() -> None:
    short = Lifetimes(fresh_running=10, stale_while_revalidate=30, stale_if_error=0)
    assert [judge(Kind.CHANGING, NOW - age, NOW, short).state for age in (5, 20, 41)] == [FRESH, USABLE, EXPIRED]


@pytest.mark.parametrize(("kind", "seconds"), [(Kind.CHANGING, 1010), (Kind.ENDED, 1100), (Kind.ABSENT, 5)])
def test_kept_for_ends_where_the_answer_expires(kind: Kind, seconds: float) -> None:
    assert LIFETIMES.kept_for(kind) == seconds
    assert judge(kind, NOW - seconds - 1, NOW, LIFETIMES).state is EXPIRED


seconds = st.floats(0, 1e6)


@given(
    kind=st.sampled_from(Kind),
    lifetimes=st.builds(Lifetimes, seconds, seconds, seconds, seconds, seconds),
    ages=st.lists(st.floats(-1, 1e7), min_size=2, max_size=2).map(sorted),
)
def test_an_answer_never_gets_fresher_with_age(kind: Kind, lifetimes: Lifetimes, ages: list[float]) -> None:
    younger, older = (judge(kind, NOW - age, NOW, lifetimes) for age in ages)
    order = list(State)
    assert order.index(younger.state) <= order.index(older.state)
    assert younger.ttl >= older.ttl
