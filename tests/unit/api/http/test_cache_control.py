"""RFC 9111 section 5.2.1 as a table of cases, the section beside each."""

import math

from hypothesis import given
from hypothesis import strategies as st

from service.api.http.cache_control import parse_directives
from service.domain.freshness import RequestDirectives
from service.reads.policy import Freshness, State, satisfies
from tests.rows import each_row

Asked = RequestDirectives


@each_row(
    "field, expected",
    [
        ("", Asked()),
        ("no-cache", Asked(no_cache=True)),  # 5.2.1.4
        ("no-store", Asked(no_store=True)),  # 5.2.1.5
        ("only-if-cached", Asked(only_if_cached=True)),  # 5.2.1.7
        ("max-age=60", Asked(max_age=60)),  # 5.2.1.1
        ("max-stale=10", Asked(max_stale=10)),  # 5.2.1.2
        ("max-stale", Asked(max_stale=math.inf)),  # 5.2.1.2: without a value, stale of any age
        ("min-fresh=20", Asked(min_fresh=20)),  # 5.2.1.3
        ("no-transform, stale-if-error=5, x=y", Asked()),  # 5.2.3: unrecognised extensions are ignored
        ("No-Cache,MAX-AGE=1", Asked(no_cache=True, max_age=1)),  # 5.2: names are case-insensitive
        ('max-age="5"', Asked(max_age=5)),  # 5.2: token and quoted string alike
        ('x="a, no-cache", max-age=5', Asked(max_age=5)),  # a comma inside quotes separates nothing
        (" , ,max-age = 5 ,", Asked(max_age=5)),  # RFC 9110, 5.6.1: empty list elements
        ("max-age=5, max-age=3", Asked(max_age=3)),  # 4.2.1: the most restrictive
        ("max-stale, max-stale=4", Asked(max_stale=4)),
        ("min-fresh=5, min-fresh=9", Asked(min_fresh=9)),
        ("max-age=soon", Asked(max_age=0)),  # 4.2.1: unreadable freshness means stale
        ("max-age=-1", Asked(max_age=0)),
        ("max-age=1.5", Asked(max_age=0)),
        ("max-age", Asked(max_age=0)),
        ("max-age=", Asked(max_age=0)),
        ("max-age=\u0665", Asked(max_age=0)),  # a digit, and none of RFC 9110's
        ("max-stale=soon", Asked(max_stale=0)),
        ("min-fresh=soon", Asked(min_fresh=2**31)),
        ("max-age=99999999999999999999", Asked(max_age=2**31)),  # 1.2.2
        ("max-age=" + "9" * 10_000, Asked(max_age=2**31)),
        ("max-age=0000000000000000007", Asked(max_age=7)),
        ('max-age="5, no-cache', Asked(max_age=0, no_cache=True)),  # a quote that never ends
    ],
)
def test_parse(field: str, expected: RequestDirectives) -> None:
    assert parse_directives(field) == expected


@each_row(
    "cache_control, pragma, no_cache",
    [
        (None, "no-cache", True),  # 5.4
        (None, "NO-CACHE, x", True),
        (None, "x", False),
        (None, None, False),
        ("max-age=5", "no-cache", False),  # 5.4: Pragma counts only without Cache-Control
        ("", "no-cache", False),
    ],
)
def test_pragma(cache_control: str | None, pragma: str | None, no_cache: bool) -> None:
    assert parse_directives(cache_control, pragma).no_cache is no_cache


def fresh(age: float, ttl: float) -> Freshness:
    return Freshness(age, ttl, State.FRESH)


def usable(age: float, ttl: float) -> Freshness:
    return Freshness(age, ttl, State.STALE_USABLE)


def error_only(age: float, ttl: float) -> Freshness:
    return Freshness(age, ttl, State.STALE_ERROR_ONLY)


EXPIRED = Freshness(500, -400, State.EXPIRED)


@each_row(
    "field, stored, given",
    [
        ("", fresh(1, 9), True),
        ("", usable(11, -1), True),  # RFC 5861, 3: the service's own stale-while-revalidate
        ("", error_only(50, -40), False),
        ("", EXPIRED, False),
        ("no-cache", fresh(0, 10), False),  # 5.2.1.4
        ("no-store", fresh(1, 9), True),  # 5.2.1.5: what is stored already may be given
        ("only-if-cached", fresh(1, 9), True),  # 5.2.1.7: consistent with the other constraints
        ("only-if-cached", usable(11, -1), True),
        ("only-if-cached, max-age=5", fresh(6, 4), False),
        ("max-age=5", fresh(5, 5), True),  # 5.2.1.1: less than or equal
        ("max-age=5", fresh(5.1, 4.9), False),
        ("max-age=0", fresh(0, 10), False),
        ("max-age=60", usable(11, -1), False),  # 5.2.1.1: without max-stale no stale answer
        ("max-age=60, max-stale=5", usable(11, -1), True),
        ("max-age=5, max-stale=60", usable(11, -1), False),
        ("max-stale=5", usable(15, -5), True),  # 5.2.1.2: by no more than
        ("max-stale=5", usable(16, -6), False),  # the request's bound, not the service's
        ("max-stale", error_only(500, -490), True),
        ("max-stale", EXPIRED, False),
        ("max-stale=0", fresh(1, 9), True),
        ("min-fresh=5", fresh(5, 5), True),  # 5.2.1.3: no less than
        ("min-fresh=6", fresh(5, 5), False),
        ("min-fresh=0", usable(11, -1), False),
        ("min-fresh=1, max-stale=60", usable(11, -1), False),  # conflicting: the most restrictive
        ("max-age=soon", fresh(0, 10), False),
    ],
)
def test_satisfies(field: str, stored: Freshness, given: bool) -> None:
    assert satisfies(stored, parse_directives(field)) is given


@given(st.text() | st.text(alphabet='no-cachemxgstlfri=",0123456789 \t\\'))
def test_no_field_value_raises(field: str) -> None:
    parse_directives(field, field)
    parse_directives(None, field)


@given(st.text(alphabet='no-cachemxgstlfri=",0123456789 '), st.floats(0, 1e6), st.floats(-1e6, 1e6))
def test_no_cache_wins_over_whatever_comes_with_it(field: str, age: float, ttl: float) -> None:
    stored = Freshness(age, ttl, State.FRESH if ttl > 0 else State.STALE_USABLE)
    assert not satisfies(stored, parse_directives(f"no-cache, {field}"))
