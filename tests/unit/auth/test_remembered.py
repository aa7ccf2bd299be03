"""What is remembered of tokens: bounded, until their end, and nothing but what held."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from service.auth.remembered import Remembered
from service.domain.access import Principal


def principal(name: str, expires_at: float = 1000.0, token: str = "t") -> Principal:
    return Principal(name, "tenant", "issuer", frozenset(), None, expires_at, token)


def test_until_the_end_of_the_token_and_for_five_minutes_at_most() -> None:
    remembered = Remembered()
    remembered.put("Bearer a", principal("a", expires_at=100.0), now=0.0)
    remembered.put("Bearer b", principal("b", expires_at=10_000.0), now=0.0)
    assert remembered.get("Bearer a", 99.9) is not None
    assert remembered.get("Bearer a", 100.0) is None
    assert remembered.get("Bearer b", 299.9) is not None
    assert remembered.get("Bearer b", 300.0) is None


def test_never_what_has_ended_already() -> None:
    remembered = Remembered()
    remembered.put("Bearer a", principal("a", expires_at=-1.0), now=0.0)
    assert remembered.get("Bearer a", 0.0) is None


@given(
    st.text()
    | st.sampled_from(["bearer abc", "Bearer  abc", "Bearer abc ", "Bearer abd", "Bearer ?bc", "Bearer \xe9bc"])
)
def test_nothing_but_the_very_same_field(other: str) -> None:
    remembered = Remembered()
    remembered.put("Bearer abc", principal("a"), now=0.0)
    assert (remembered.get(other, 0.0) is not None) is (other == "Bearer abc")


def test_nothing_for_no_field_or_one_that_is_too_long() -> None:
    remembered = Remembered()
    assert remembered.get(None, 0.0) is None
    assert remembered.get("a" * 10_000_000, 0.0) is None


def test_the_longest_token_that_is_looked_at_is_remembered() -> None:
    remembered = Remembered(longest_token=10)
    for field in ("Bearer 0123456789", "Bearer 0123456789a"):
        remembered.put(field, principal("a"), now=0.0)
    assert remembered.get("Bearer 0123456789", 0.0) is not None
    assert remembered.get("Bearer 0123456789a", 0.0) is None


def test_the_oldest_go_first_when_there_are_too_many() -> None:
    remembered = Remembered()
    for number in range(30_000):
        remembered.put(f"Bearer {number}", principal(str(number)), now=0.0)
    kept = [number for number in range(30_000) if remembered.get(f"Bearer {number}", 0.0)]
    assert 10_000 < len(kept) < 25_000
    assert kept == list(range(30_000 - len(kept), 30_000))


def test_the_oldest_go_first_when_there_is_too_much_text() -> None:
    remembered, long = Remembered(), "x" * 16_000
    for number in range(4000):
        remembered.put(f"Bearer {number}", principal(str(number), token=long), now=0.0)
    kept = sum(remembered.get(f"Bearer {number}", 0.0) is not None for number in range(4000))
    assert 2000 < kept < 48 * 1024 * 1024 // 16_000


def test_the_same_again_takes_no_more_room() -> None:
    remembered, long = Remembered(), "x" * 16_000
    remembered.put("Bearer first", principal("first"), now=0.0)
    for _ in range(5000):
        remembered.put("Bearer again", principal("again", token=long), now=0.0)
    assert remembered.get("Bearer first", 0.0) is not None
