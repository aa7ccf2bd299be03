"""Tokens that were verified are kept: so many, until their end, and nothing but what was valid."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from service.auth.token_cache import TokenCache
from service.domain.access import Principal


def principal(name: str, expires_at: float = 1000.0, token: str = "t") -> Principal:
    return Principal(name, "tenant", "issuer", frozenset(), None, expires_at, token)


def test_until_the_end_of_the_token_and_for_five_minutes_at_most() -> None:
    token_cache = TokenCache()
    token_cache.put("Bearer a", principal("a", expires_at=100.0), now=0.0)
    token_cache.put("Bearer b", principal("b", expires_at=10_000.0), now=0.0)
    assert token_cache.get("Bearer a", 99.9) is not None
    assert token_cache.get("Bearer a", 100.0) is None
    assert token_cache.get("Bearer b", 299.9) is not None
    assert token_cache.get("Bearer b", 300.0) is None


def test_never_what_has_ended_already() -> None:
    token_cache = TokenCache()
    token_cache.put("Bearer a", principal("a", expires_at=-1.0), now=0.0)
    assert token_cache.get("Bearer a", 0.0) is None


@given(
    st.text()
    | st.sampled_from(["bearer abc", "Bearer  abc", "Bearer abc ", "Bearer abd", "Bearer ?bc", "Bearer \xe9bc"])
)
def test_nothing_but_the_very_same_field(other: str) -> None:
    token_cache = TokenCache()
    token_cache.put("Bearer abc", principal("a"), now=0.0)
    assert (token_cache.get(other, 0.0) is not None) is (other == "Bearer abc")


def test_nothing_for_no_field_or_one_that_is_too_long() -> None:
    token_cache = TokenCache()
    assert token_cache.get(None, 0.0) is None
    assert token_cache.get("a" * 10_000_000, 0.0) is None


def test_the_longest_token_that_is_looked_at_is_remembered() -> None:
    token_cache = TokenCache(longest_token=10)
    for field in ("Bearer 0123456789", "Bearer 0123456789a"):
        token_cache.put(field, principal("a"), now=0.0)
    assert token_cache.get("Bearer 0123456789", 0.0) is not None
    assert token_cache.get("Bearer 0123456789a", 0.0) is None


def test_the_oldest_go_first_when_there_are_too_many() -> None:
    token_cache = TokenCache()
    for number in range(30_000):
        token_cache.put(f"Bearer {number}", principal(str(number)), now=0.0)
    kept = [number for number in range(30_000) if token_cache.get(f"Bearer {number}", 0.0)]
    assert 10_000 < len(kept) < 25_000
    assert kept == list(range(30_000 - len(kept), 30_000))


def test_the_oldest_go_first_when_there_is_too_much_text() -> None:
    token_cache, long = TokenCache(), "x" * 16_000
    for number in range(4000):
        token_cache.put(f"Bearer {number}", principal(str(number), token=long), now=0.0)
    kept = sum(token_cache.get(f"Bearer {number}", 0.0) is not None for number in range(4000))
    assert 2000 < kept < 48 * 1024 * 1024 // 16_000


def test_the_same_again_takes_no_more_room() -> None:
    token_cache, long = TokenCache(), "x" * 16_000
    token_cache.put("Bearer first", principal("first"), now=0.0)
    for _ in range(5000):
        token_cache.put("Bearer again", principal("again", token=long), now=0.0)
    assert token_cache.get("Bearer first", 0.0) is not None
