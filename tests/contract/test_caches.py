"""What ``protocol.Cache`` promises, over every implementation and every way to a server."""

import contextlib
import time
from collections.abc import Iterator, Sequence
from functools import partial

import pytest

from service.caching.memory import MemoryCache
from service.caching.protocol import Cache, Replacement
from service.caching.redis.cache import RedisCache
from service.domain.errors import CacheUnavailable
from service.telemetry.prometheus import Telemetry
from testing.threads import together
from testing.waiting import eventually
from tests.servers.valkey import ValkeyServer, running
from tests.servers.valkey_sets import cluster_set

PATIENT = 30.0
"""Seconds; these tests are about what is answered, not about a machine that is busy."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyServer]:
    with running(tmp_path_factory.mktemp("valkey")) as server:
        yield server


@pytest.fixture(scope="module")
def cluster_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with cluster_set(tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster.url


@pytest.fixture(params=["memory", "tcp", "socket", "cluster"])
def cache(request: pytest.FixtureRequest) -> Iterator[Cache]:
    with contextlib.closing(_cache(request)) as cache:
        yield cache


def _cache(request: pytest.FixtureRequest) -> Cache:
    if request.param == "memory":
        return MemoryCache(1_000_000)
    if request.param == "cluster":
        return RedisCache(request.getfixturevalue("cluster_url"), timeout=PATIENT, telemetry=Telemetry())
    server: ValkeyServer = request.getfixturevalue("server")
    server.ask("FLUSHALL")
    url = server.url if request.param == "tcp" else server.socket_url
    return RedisCache(url, timeout=PATIENT, telemetry=Telemetry())


@pytest.fixture
def key(request: pytest.FixtureRequest) -> str:
    """Another one for each test, so that a cluster need not be emptied between them."""
    return f"test:{request.node.name}"


def test_nothing_is_there_at_first(cache: Cache, key: str) -> None:
    assert cache.get(key) is None
    assert cache.get_many([key, key + "2"]) == {key: None, key + "2": None}


def test_bytes_come_back_as_they_went_in(cache: Cache, key: str) -> None:
    values = {f"{key}{{{{{number}}}}}": bytes(range(256)) * number for number in range(4)} | {
        key + " \r\n é\x00": b"\xff"
    }
    cache.set_many(values, 60)
    assert cache.get_many(list(values)) == values
    assert [cache.get(name) for name in values] == list(values.values())


def test_a_value_of_a_megabyte(cache: Cache, key: str) -> None:
    big = b"x" * 900_000
    cache.set_many({key: big}, 60)
    assert cache.get(key) == big


def test_many_are_read_repeats_and_gaps_included(cache: Cache, key: str) -> None:
    cache.set_many({key + "a": b"A", key + "b": b"B"}, 60)
    asked = [key + "b", key + "none", key + "a", key + "b"]
    assert cache.get_many(asked) == {key + "a": b"A", key + "b": b"B", key + "none": None}
    assert cache.get_many([]) == {}


def test_keys_of_one_hash_tag(cache: Cache, key: str) -> None:
    values = {f"{{{key}}}:{number}": b"%d" % number for number in range(20)}
    cache.set_many(values, 60)
    assert cache.get_many(list(values)) == values


def test_keys_all_over_the_place(cache: Cache, key: str) -> None:
    values = {f"{key}:{number}": b"%d" % number for number in range(50)}
    cache.set_many(values, 60)
    assert cache.get_many(list(values)) == values


def test_writing_nothing_is_nothing(cache: Cache, key: str) -> None:
    cache.set_many({key: b"x"}, 60)
    cache.set_many({}, 60)
    cache.replace_many({})
    assert cache.get(key) == b"x"


def test_what_is_replaced_comes_with_what_belongs_to_it(cache: Cache, key: str) -> None:
    names = [f"{{{key}{number}}}" for number in range(3)]
    for turn in (b"old ", b"new "):
        replaced = {
            name: Replacement(turn + b"header", 60, {f"{name}:{part}": turn + part.encode() for part in "ab"[:number]})
            for number, name in enumerate(names)
        }
        cache.replace_many(replaced)
        for name, item in replaced.items():
            assert cache.get_many([name, *item.beside]) == {name: item.value, **item.beside}


def test_a_later_value_replaces_an_earlier_one_and_its_end(cache: Cache, key: str) -> None:
    cache.set_many({key: b"old"}, 0.05)
    cache.set_many({key: b"new"}, 60)
    time.sleep(0.1)
    assert cache.get(key) == b"new"


def test_a_value_ends(cache: Cache, key: str) -> None:
    cache.set_many({key: b"x"}, 0.05)
    eventually(lambda: cache.get(key) is None)
    assert cache.get_many([key]) == {key: None}


@pytest.mark.parametrize("ttl", [0, -1, 0.0001])
def test_a_time_to_live_too_short_to_measure_is_a_millisecond(cache: Cache, key: str, ttl: float) -> None:
    cache.set_many({key: b"x"}, ttl)
    eventually(lambda: cache.get(key) is None)
    assert cache.get_many([key]) == {key: None}


def test_delete(cache: Cache, key: str) -> None:
    cache.set_many({key: b"x", key + "other": b"y"}, 60)
    cache.delete(key)
    cache.delete(key)
    assert cache.get_many([key, key + "other"]) == {key: None, key + "other": b"y"}


def test_a_lock_has_one_holder(cache: Cache, key: str) -> None:
    assert cache.acquire(key, "me", 60)
    assert not cache.acquire(key, "you", 60)
    assert not cache.acquire(key, "me", 60)


def test_a_lock_is_given_up_by_its_holder_only(cache: Cache, key: str) -> None:
    assert cache.acquire(key, "me", 60)
    cache.release(key, "you")
    assert not cache.acquire(key, "you", 60)
    cache.release(key, "me")
    assert cache.acquire(key, "you", 60)
    cache.release(key, "me")
    assert not cache.acquire(key, "me", 60)


def taken(cache: Cache, keys: Sequence[str], owner: str) -> list[bool]:
    """Whether the lock of each key was taken."""
    acquired = cache.acquire_many({key: f"{key}:lock" for key in keys}, owner, 60)
    return [acquired[key].taken for key in keys]


def test_several_locks_are_taken_and_released_together(cache: Cache, key: str) -> None:
    keys = [f"{key}{{{number}}}" for number in range(3)]
    assert cache.acquire(f"{keys[1]}:lock", "you", 60)
    assert taken(cache, keys, "me") == [True, False, True]
    assert taken(cache, keys, "you") == [False] * 3
    cache.release_many([f"{name}:lock" for name in keys], "me")
    assert taken(cache, keys, "you") == [True, False, True]
    assert cache.acquire_many({}, "me", 60) == {}


def test_who_takes_a_lock_or_does_not_reads_its_key(cache: Cache, key: str) -> None:
    keys = [f"{key}{{{number}}}" for number in range(3)]
    cache.set_many({keys[0]: b"\x00 value", keys[1]: b""}, 60)
    for took in (True, False):
        acquired = cache.acquire_many({name: f"{name}:lock" for name in keys}, "me", 60)
        assert acquired == {keys[0]: (took, b"\x00 value"), keys[1]: (took, b""), keys[2]: (took, None)}


def test_what_is_replaced_releases_the_lock_of_its_owner_only(cache: Cache, key: str) -> None:
    keys = [f"{key}{{{number}}}" for number in range(3)]
    for name, owner in zip(keys, ["me", "you", "me"], strict=True):
        assert cache.acquire(f"{name}:lock", owner, 60)
    locks = [f"{keys[0]}:lock", f"{keys[1]}:lock", ""]
    beside = {f"{keys[0]}:beside": b"b"}
    cache.replace_many(
        {
            name: Replacement(b"v", 60, beside if name == keys[0] else {}, lock, "me" if lock else "")
            for name, lock in zip(keys, locks, strict=True)
        }
    )
    assert cache.get_many([*keys, *beside]) == {**dict.fromkeys(keys, b"v"), **beside}
    assert taken(cache, keys, "a third") == [True, False, False]


def test_a_server_that_forgot_the_scripts_is_sent_them_again(server: ValkeyServer, key: str) -> None:
    with contextlib.closing(RedisCache(server.url, timeout=PATIENT, telemetry=Telemetry())) as cache:
        server.ask("SCRIPT", "FLUSH")
        assert taken(cache, [key, key + "2"], "me") == [True, True]
        server.ask("SCRIPT", "FLUSH")
        cache.release_many([f"{key}:lock", f"{key}2:lock"], "me")
        assert taken(cache, [key, key + "2"], "you") == [True, True]
        server.ask("SCRIPT", "FLUSH")
        cache.replace_many({key + number: Replacement(b"v", 60, {}) for number in "34"})
        assert cache.get_many([key + "3", key + "4"]) == {key + "3": b"v", key + "4": b"v"}


def test_a_lock_nobody_gives_up_ends(cache: Cache, key: str) -> None:
    assert cache.acquire(key, "me", 0.05)
    eventually(lambda: cache.acquire(key, "you", 60))
    assert not cache.extend(key, "me", 60)


def test_a_lock_is_extended_by_its_holder_only(cache: Cache, key: str) -> None:
    assert not cache.extend(key, "me", 60)

    def extended(ttl: float) -> bool:
        """Whether the lock was; otherwise it has ended meanwhile."""
        assert cache.acquire(key, "me", ttl)
        assert not cache.extend(key, "you", 60)
        return cache.extend(key, "me", 60)

    taken_for = next(filter(extended, (0.3, 3, 30)))
    time.sleep(taken_for + 0.1)
    assert not cache.acquire(key, "you", 60)


def test_extending_can_shorten(cache: Cache, key: str) -> None:
    assert cache.acquire(key, "me", 60)
    assert cache.extend(key, "me", 0.02)
    eventually(lambda: cache.acquire(key, "you", 60))


def test_of_many_threads_one_gets_the_lock(cache: Cache, key: str) -> None:
    got = together(*[partial(cache.acquire, key, f"owner {number}", 60) for number in range(16)])
    assert sorted(got) == [False] * 15 + [True]


def test_threads_never_get_each_others_values(cache: Cache, key: str) -> None:
    def wrong(number: int) -> list[object]:
        found: list[object] = []
        names = [f"{key}:{number}:{part}" for part in range(3)]
        for turn in range(30):
            value = b"%d-%d" % (number, turn)
            cache.set_many(dict.fromkeys(names, value), 60)
            found.extend(answer for answer in cache.get_many(names).values() if answer != value)
        return found

    assert together(*[partial(wrong, number) for number in range(12)]) == [[]] * 12


def test_ping_changes_nothing(cache: Cache, key: str) -> None:
    cache.set_many({key: b"x"}, 60)
    cache.ping()
    assert cache.get(key) == b"x"


def test_a_closed_cache_gives_nothing(cache: Cache, key: str) -> None:
    cache.set_many({key: b"x"}, 60)
    cache.close()
    cache.close()
    found = None
    with contextlib.suppress(CacheUnavailable):
        found = cache.get(key)
    assert found is None
