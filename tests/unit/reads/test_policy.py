"""RFC 9111 section 4.2 and RFC 5861 as a table: lifetime 10 s while running, 100 s once ended."""

import math
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from service.caching.codec import Header
from service.domain.errors import Overloaded, RuntimeForbids, RuntimeUnavailable, ServiceError
from service.domain.freshness import Provenance, RequestCachePolicy, RequestDirectives, Source
from service.reads.policy import (
    CLOCK_SKEW,
    Freshness,
    FreshnessPolicy,
    Kind,
    Lifetimes,
    State,
    counts_for,
    is_current,
    judge,
)
from service.reads.results import VALUE
from tests.rows import each_row

LIFETIMES = Lifetimes(
    fresh_running=10, fresh_finished=100, stale_while_revalidate=30, stale_if_error=1000, remembered_absence=5
)
NOW = 1_800_000_000.0
FRESH, USABLE, ERROR_ONLY, EXPIRED = State


@each_row(
    "kind, age, ttl, state",
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


@each_row(
    "ahead, state", [(0.5, FRESH), (CLOCK_SKEW, FRESH), (CLOCK_SKEW + 1, EXPIRED), (1e9, EXPIRED), (math.inf, EXPIRED)]
)
def test_an_answer_from_the_future_is_new_or_its_clock_was_wrong(ahead: float, state: State) -> None:
    freshness = judge(Kind.CHANGING, NOW + ahead, NOW, LIFETIMES)
    assert (freshness.age, freshness.ttl, freshness.state) == (0, 10, state)


def test_a_moment_that_is_no_number_is_expired() -> None:
    assert judge(Kind.ENDED, math.nan, NOW, LIFETIMES).state is EXPIRED


def test_a_stale_if_error_shorter_than_stale_while_revalidate_cuts_nothing_off() -> None:
    short = Lifetimes(fresh_running=10, stale_while_revalidate=30, stale_if_error=0)
    assert [judge(Kind.CHANGING, NOW - age, NOW, short).state for age in (5, 20, 41)] == [FRESH, USABLE, EXPIRED]


@each_row("kind, seconds", [(Kind.CHANGING, 1010), (Kind.ENDED, 1100), (Kind.ABSENT, 5)])
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


POLICY = FreshnessPolicy(LIFETIMES, lambda: NOW)
CHANGING_KEPT, ENDED_KEPT = 10 + 1000, 100 + 1000


def stored(age: float, outcome: str = VALUE, *, may_change: bool = True, ended_until: float = 0.0) -> Header:
    return Header(outcome, may_change, NOW - age, ended_until=ended_until)


def asked(*, at: float = NOW, **directives: Any) -> RequestCachePolicy:
    return RequestCachePolicy(RequestDirectives(**directives), at)


@each_row(
    "before, until",
    [
        (None, 0.0),
        (stored(7), NOW - 7 + ENDED_KEPT),
        (stored(7, may_change=False), NOW - 7 + ENDED_KEPT),
        (stored(7, "absent", ended_until=NOW + 3), NOW + 3),
        (stored(7, "absent"), 0.0),
    ],
)
def test_a_value_can_come_up_again_for_as_long_as_any_process_may_keep_it(before: Header | None, until: float) -> None:
    assert POLICY.ended_until(before) == until


@each_row(
    "header, seconds",
    [
        (stored(0), ENDED_KEPT),
        (stored(0, may_change=False), ENDED_KEPT),
        (stored(0, "absent"), 5),
        (stored(0, "absent", ended_until=NOW + 4), 5),
        (stored(0, "absent", ended_until=NOW + 6), 6),
        (stored(0, "absent", ended_until=NOW + 2 * ENDED_KEPT), ENDED_KEPT),
    ],
)
def test_an_absence_is_noted_while_the_value_before_it_could_come_up_again(header: Header, seconds: float) -> None:
    assert POLICY.kept_for(header) == seconds


@each_row(
    "before, cache_policy, source",
    [
        (None, asked(), Source.FETCHED_NEW),
        (None, asked(no_cache=True), Source.FETCHED_ON_REQUEST),
        (stored(9), asked(max_age=0), Source.FETCHED_ON_REQUEST),
        (stored(10), asked(max_age=0), Source.FETCHED_OVER_STALE),
        (stored(10), asked(no_cache=True), Source.FETCHED_ON_REQUEST),
    ],
)
def test_a_fetch_is_on_request_where_what_is_stored_was_fresh(
    before: Header | None, cache_policy: RequestCachePolicy, source: Source
) -> None:
    assert POLICY.cache_status(before, cache_policy) is source
    assert POLICY.forced(before, cache_policy) is (source is Source.FETCHED_ON_REQUEST)


@each_row(
    "header, cache_policy, error, may",
    [
        (stored(1010), asked(), RuntimeUnavailable(), True),
        (stored(1010), asked(), Overloaded("too much at once"), True),
        (stored(1010), asked(), RuntimeForbids(), False),
        (stored(1010), asked(no_cache=True), RuntimeUnavailable(), False),
        (stored(1011), asked(), RuntimeUnavailable(), False),
        (stored(1, "absent"), asked(), RuntimeUnavailable(), False),
        (None, asked(), RuntimeUnavailable(), False),
    ],
)
def test_a_stored_value_stands_in_for_trouble(
    header: Header | None, cache_policy: RequestCachePolicy, error: ServiceError, may: bool
) -> None:
    assert POLICY.may_serve_stale_on_error(header, error, cache_policy) is may


@each_row(
    "header, cache_policy, calm, in_trouble",
    [
        (stored(9), asked(), Source.STORED, Source.STORED),
        (stored(10), asked(), Source.STORED_REVALIDATING, Source.STORED_REVALIDATING),
        (stored(41), asked(), None, Source.STORED_ON_ERROR),
        (stored(1011), asked(), None, None),
        (stored(1), asked(no_cache=True, at=NOW - 1), Source.STORED, Source.STORED),
        (stored(1.5), asked(no_cache=True, at=NOW - 1), None, None),
        (stored(0.9), asked(max_age=0), Source.STORED, Source.STORED),
        (stored(1), asked(max_age=0), None, Source.STORED_ON_ERROR),
        (stored(0.9), asked(min_fresh=10), Source.STORED, Source.STORED),
    ],
)
def test_as_what_a_stored_answer_may_be_given(
    header: Header, cache_policy: RequestCachePolicy, calm: Source | None, in_trouble: Source | None
) -> None:
    assert POLICY.usable(header, cache_policy) is calm
    assert POLICY.usable(header, cache_policy, in_trouble=True) is in_trouble


@each_row(
    "header, age, ttl, lifetime",
    [
        (stored(4), 4, 6, 10),
        (stored(4, may_change=False), 4, 96, 100),
        (stored(4, "absent", may_change=False), 4, 1, 5),
    ],
)
def test_provenance_says_how_old_and_how_fresh(header: Header, age: float, ttl: float, lifetime: float) -> None:
    assert POLICY.provenance(header, Source.STORED) == Provenance(Source.STORED, age, ttl, lifetime)
    found = POLICY.provenance(header, Source.FETCHED_NEW, kept=False, shared=True, upstream=0.5)
    assert found == Provenance(Source.FETCHED_NEW, age, ttl, lifetime, kept=False, shared=True, upstream=0.5)


def test_a_fetch_counts_for_no_cache_only_if_it_began_since() -> None:
    assert counts_for(NOW, asked(no_cache=True))
    assert not counts_for(NOW - 0.001, asked(no_cache=True))
    assert counts_for(NOW - 1000, asked(max_age=0))


def test_what_is_given_though_stale_is_not_current() -> None:
    stale = {Source.STORED_REVALIDATING, Source.STORED_ON_ERROR}
    assert {source for source in Source if not is_current(Provenance(source, 1, 1, 2))} == stale


def ended(age: float, *, may_change: bool = False, outcome: str = VALUE) -> Header:
    return stored(age, outcome, may_change=may_change)


@each_row(
    "header, ended_at, settled",
    [
        (ended(500), NOW - 600, True),
        (ended(500), NOW - 601, True),
        (ended(500), NOW - 599, False),  # metrics may have been logged since
        (ended(500), None, False),
        (ended(ENDED_KEPT), NOW - 2 * ENDED_KEPT, True),
        (ended(ENDED_KEPT + 1), NOW - 2 * ENDED_KEPT, False),
        (ended(500, may_change=True), NOW - 600, False),
        (ended(3, outcome="absent"), NOW - 600, False),
    ],
)
def test_what_was_read_long_after_its_run_ended_is_fresh_for_as_long_as_it_is_kept(
    header: Header, ended_at: float | None, settled: bool
) -> None:
    policy = FreshnessPolicy(LIFETIMES, lambda: NOW)
    age = NOW - header.fetched_at
    provenance = Provenance(Source.STORED, age, ENDED_KEPT - age, ENDED_KEPT) if settled else None
    assert policy.settled(header, ended_at) == provenance
    given = policy.usable(header, asked(), settled=settled)
    assert given is (Source.STORED if settled else policy.usable(header, asked()))
    spoken = asked(max_age=1000)
    assert policy.usable(header, spoken, settled=settled) is policy.usable(header, spoken)


def test_a_max_age_of_a_second_is_met_to_the_second() -> None:
    assert POLICY.usable(stored(1), asked(max_age=1)) is Source.STORED
    assert POLICY.usable(stored(1.01), asked(max_age=1)) is None
