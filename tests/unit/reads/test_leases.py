"""Leases: one process at a time, the next one soon after a death, and never a lock that outlives its use."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from service.caching.codec import LARGEST, Header
from service.caching.entry_keys import lock_key
from service.caching.memory import MemoryCache
from service.caching.protocol import Cache
from service.caching.store import Entry, EntryStore
from service.domain.errors import CacheUnavailable
from service.reads.leases import HEARTBEAT, TTL, Leases
from testing.clocks import Clock
from testing.threads import together
from testing.waiting import PATIENCE, eventually
from tests.unit.reads.worlds import MeddledCache

_opened: list[Leases] = []


def leases_of(cache: Cache) -> Leases:
    """The leases of a process of its own, which ends with the test."""
    _opened.append(Leases(EntryStore(cache, secret="s", memory_bytes=10**6)))
    return _opened[-1]


@pytest.fixture(autouse=True)
def _ended() -> Iterator[None]:
    yield
    while _opened:
        _opened.pop().close()


def acquired(leases: Leases, key: str) -> bool:
    return bool(leases.acquire([key]).keys)


def entry(size: int) -> tuple[Entry, float]:
    """An entry without a body, and its time to live."""
    return Entry(Header("value", True, 1.0, b"digest", size)), 60


def extensions(cache: MeddledCache, key: str) -> int:
    return cache.calls.count(("extend", lock_key(key)))


def extended_next(cache: MeddledCache, leases: Leases) -> set[str]:
    """All that is extended in a round that begins from now on, beside one more lease taken to have such a round."""
    seen = len(cache.calls)
    mark = ("extend", lock_key("a mark"))
    assert acquired(leases, "a mark")
    eventually(lambda: cache.calls[seen:].count(mark) >= 3)
    second = cache.calls.index(mark, cache.calls.index(mark, seen) + 1)  # the first may be of a round under way
    return {str(subject) for method, subject in cache.calls[second:] if method == "extend"} - {mark[1]}


def test_one_process_holds_a_lease_until_it_gives_it_up() -> None:
    cache = MemoryCache(10**6)
    one, other = leases_of(cache), leases_of(cache)
    assert acquired(one, "key")
    assert not acquired(other, "key")
    assert acquired(other, "another key")
    one.release(["key"])
    assert acquired(other, "key")
    one.release(["key"])
    assert not acquired(leases_of(cache), "key"), "nobody gives up what another holds"


def test_closing_ends_the_thread() -> None:
    """An application that is closed stayed in memory otherwise."""
    before, leases = set(threading.enumerate()), leases_of(MemoryCache(10**6))
    assert acquired(leases, "key")
    (keeper,) = set(threading.enumerate()) - before
    leases.close()
    keeper.join(PATIENCE)
    assert not keeper.is_alive()


def test_of_many_processes_one_gets_the_lease() -> None:
    cache = MemoryCache(10**6)
    processes = [leases_of(cache) for _ in range(20)]
    assert together(*[lambda leases=leases: acquired(leases, "key") for leases in processes]).count(True) == 1


def test_a_living_holder_keeps_its_lease_as_long_as_it_wants() -> None:
    clock = Clock(0.0)
    cache = MeddledCache(MemoryCache(10**6, clock))
    one, other = leases_of(cache), leases_of(cache)
    assert acquired(one, "key")
    for _ in range(3):
        clock.pass_(TTL * 0.9)
        seen = extensions(cache, "key")
        eventually(lambda seen=seen: extensions(cache, "key") >= seen + 2)  # the second began after the clock moved
        assert not acquired(other, "key")


def test_a_dead_holder_is_replaced_when_its_lease_has_run_out() -> None:
    clock = Clock(0.0)
    cache = MemoryCache(10**6, clock)
    assert cache.acquire(lock_key("key"), "a process that was killed", TTL)
    leases = leases_of(cache)
    assert not acquired(leases, "key")
    clock.pass_(TTL)
    assert acquired(leases, "key")


def test_without_a_usable_cache_everyone_may_fetch_and_nothing_is_extended() -> None:
    cache = MeddledCache()
    cache.gone = True
    leases = leases_of(cache)
    assert acquired(leases, "key")
    assert acquired(leases, "key")
    leases.release(["key"])
    cache.gone = False
    assert acquired(leases, "other")
    eventually(lambda: extensions(cache, "other"))
    assert not extensions(cache, "key")
    assert not any(call[0] == "release" for call in cache.calls)


def test_a_lease_is_not_extended_after_it_was_given_up() -> None:
    cache = MeddledCache()
    leases = leases_of(cache)
    assert acquired(leases, "key")
    assert acquired(leases, "lasting")
    leases.release(["key"])
    assert extended_next(cache, leases) == {lock_key("lasting")}


def test_what_was_stored_is_leased_no_longer_and_all_else_is() -> None:
    cache = MeddledCache()
    leases, others = leases_of(cache), leases_of(cache.inner)
    assert list(leases.acquire(["key", "too large", "lasting"]).keys) == ["key", "too large", "lasting"]
    entries = {"key": entry(3), "too large": entry(LARGEST + 1)}
    assert set(leases.save(entries)) == {"key"}
    assert others.acquire(["key", "too large", "lasting"]).keys == ["key"]
    assert extended_next(cache, leases) == {lock_key("too large"), lock_key("lasting")}
    leases.release(["key", "too large"])
    assert not acquired(leases_of(cache), "key"), "another has it now"
    assert acquired(leases_of(cache), "too large")


def test_who_takes_a_lease_knows_what_was_stored_before() -> None:
    cache = MeddledCache()
    leases = leases_of(cache)
    leases.save({"key": entry(3)})
    taken = leases_of(cache).acquire(["key", "other"])
    assert (taken.keys, {key: header.size for key, header in taken.headers.items()}) == (["key", "other"], {"key": 3})
    assert leases_of(cache).acquire(["key", "other"]) == ([], taken.headers)


def test_all_leases_are_given_up_even_where_the_cache_fails_at_the_first() -> None:
    cache = MeddledCache()
    leases = leases_of(cache)
    keys = ["a", "b", "c"]
    assert set(leases.acquire(keys).keys) == set(keys)

    def fail(_: object) -> None:
        raise CacheUnavailable

    cache.before["release"] = fail
    leases.release(keys)
    assert extended_next(cache, leases) == set(), "they end by themselves"


def test_a_cache_that_fails_while_extending_is_tried_again() -> None:
    cache = MeddledCache()
    leases = leases_of(cache)
    assert acquired(leases, "key")
    cache.gone = True
    eventually(lambda: extensions(cache, "key") >= 2)
    cache.gone = False
    seen = extensions(cache, "key")
    eventually(lambda: extensions(cache, "key") > seen)


def test_leases_that_others_take_meanwhile_do_not_have_one_extended_more_often() -> None:
    cache = MeddledCache()
    leases = leases_of(cache)
    assert acquired(leases, "lasting")
    eventually(lambda: extensions(cache, "lasting"))
    began, seen = time.monotonic(), extensions(cache, "lasting")
    for number in range(100):
        assert acquired(leases, f"key {number}")
        leases.release([f"key {number}"])
        time.sleep(0.001)
    assert extensions(cache, "lasting") - seen <= (time.monotonic() - began) / HEARTBEAT + 1
