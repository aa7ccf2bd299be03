"""A map that forgets what was not used for longest."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from service.concurrency.bounded_map import BoundedMap

KEYS = st.integers(0, 9)


def test_the_least_recently_used_goes_first() -> None:
    kept: BoundedMap[str, str] = BoundedMap(3, len)
    for key in "abc":
        kept.keep(key, key)
    assert kept.get("a") == "a"
    kept.keep("d", "d")
    assert [kept.get(key) for key in "abcd"] == ["a", None, "c", "d"]


def test_what_is_heavier_than_all_is_not_kept() -> None:
    kept: BoundedMap[str, str] = BoundedMap(3, len)
    kept.keep("a", "a")
    kept.keep("b", "bbbb")
    assert (kept.get("a"), kept.get("b")) == ("a", None)


@given(st.lists(st.tuples(KEYS, st.one_of(st.none(), st.text(max_size=5)))))
def test_its_weight_is_bounded_whatever_comes_and_goes(steps: list[tuple[int, str | None]]) -> None:
    kept: BoundedMap[int, str] = BoundedMap(10, len)
    for key, value in steps:
        if value is None:
            kept.forget(key)
            assert kept.get(key) is None
        else:
            kept.keep(key, value)
            assert kept.get(key) == value
        assert sum(len(kept.get(each) or "") for each in range(10)) <= 10
