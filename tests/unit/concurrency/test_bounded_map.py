"""A map that forgets what was not used for longest."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
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


def test_who_looks_at_all_values_uses_none() -> None:
    kept: BoundedMap[str, str] = BoundedMap(3, len)
    for key in "abc":
        kept.keep(key, key)
    assert kept.get("a") == "a"
    assert sorted(kept.values()) == ["a", "b", "c"]
    kept.keep("d", "d")
    assert [kept.get(key) for key in "abcd"] == ["a", None, "c", "d"]


def test_what_is_heavier_than_all_is_not_kept() -> None:
    kept: BoundedMap[str, str] = BoundedMap(3, len)
    kept.keep("a", "a")
    kept.keep("b", "bbbb")
    assert (kept.get("a"), kept.get("b")) == ("a", None)


def test_a_heavier_value_displaces_no_more_than_has_no_room_beside_it() -> None:
    """As of cachetools 8; before, it needed room beside the value that it replaces."""
    kept: BoundedMap[str, str] = BoundedMap(10, len)
    for key, value in {"a": "aa", "b": "bb", "c": "cccc"}.items():
        kept.keep(key, value)
    kept.keep("c", "ccccc")
    assert [kept.get(key) for key in "abc"] == ["aa", "bb", "ccccc"]
    kept.keep("c", "ccccccc")
    assert [kept.get(key) for key in "abc"] == [None, "bb", "ccccccc"]


def test_a_value_that_has_become_too_heavy_goes_and_its_weight_with_it() -> None:
    kept: BoundedMap[str, str] = BoundedMap(3, len)
    kept.keep("a", "aa")
    kept.keep("a", "aaaa")
    assert (kept.get("a"), kept.weight) == (None, 0)


def test_a_change_is_made_of_what_is_there_and_weighed_anew() -> None:
    kept: BoundedMap[str, str] = BoundedMap(4, len)
    kept.keep("other", "o")
    kept.update("a", lambda value: "new" if value is None else "wrong")
    assert kept.weight == 4
    kept.update("a", lambda value: f"{value}!")
    assert (kept.values(), kept.weight) == (["new!"], 4)
    kept.update("a", lambda _: None)
    assert (kept.values(), kept.weight) == ([], 0)


def test_a_change_that_fails_changes_nothing() -> None:
    kept: BoundedMap[str, str] = BoundedMap(4, len)
    kept.keep("a", "a")
    with pytest.raises(ZeroDivisionError):
        kept.update("a", lambda _: str(1 // 0))
    assert (kept.get("a"), kept.weight) == ("a", 1)


def test_who_reads_while_a_value_is_replaced_finds_one() -> None:
    kept: BoundedMap[str, str] = BoundedMap(4, len)
    kept.keep("a", "old")

    def look(_: str | None) -> str:
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(kept._values.get, "a").result(20) == ("old", 3)
        return "new"

    kept.update("a", look)
    assert kept.get("a") == "new"


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
