"""Servers that take over from each other."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from redis.crc import key_slot

from service.caching.protocol import Replacement
from service.caching.redis.cache import RedisCache
from service.domain.errors import CacheUnavailable
from testing.waiting import eventually
from tests.integration.redis.conftest import BRIEF, Connect
from tests.servers.valkey_sets import ClusterSet, cluster_set, sentinel_set, slots_of


def key_on(master: int) -> str:
    """A key that the cluster's master of that number holds."""
    return next(key for key in map(str, range(10_000)) if key_slot(key.encode()) in slots_of(master))


def usable(cache: RedisCache, key: str = "k") -> bool:
    try:
        cache.set_many({key: b"v"}, 60)
        return cache.get(key) == b"v"
    except CacheUnavailable:
        return False


def test_sentinels_name_the_new_master(tmp_path: Path, connect: Connect) -> None:
    with sentinel_set(tmp_path) as servers:
        cache = connect(servers.url)
        assert usable(cache)
        eventually(lambda: servers.replica.ask("GET", "k") == b"v")
        servers.master.kill()
        with pytest.raises(CacheUnavailable):
            cache.get("k")
        eventually(lambda: servers.replica_is_master)
        eventually(lambda: usable(cache))
        assert cache.get("k") == b"v"


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[ClusterSet]:
    with cluster_set(tmp_path) as cluster:
        yield cluster


def test_in_a_cluster_a_dead_master_costs_its_own_keys_only(cluster: ClusterSet, connect: Connect) -> None:
    cache = connect(cluster.url)
    keys = [key_on(number) for number in range(3)]
    assert all(usable(cache, key) for key in keys)
    cluster.masters[2].kill()
    for _ in range(3):
        assert not usable(cache, keys[2])
        assert usable(cache, keys[0])
        assert usable(cache, keys[1])
    for value, write in (
        (b"set", lambda keys: cache.set_many(dict.fromkeys(keys, b"set"), 60)),
        (b"new", lambda keys: cache.replace_many({key: Replacement(b"new", 60, {}) for key in keys})),
    ):
        with pytest.raises(CacheUnavailable):
            write(keys[::-1])
        assert cache.get_many(keys[::-1]) == dict.fromkeys(keys[:2], value)
    with pytest.raises(CacheUnavailable):
        cache.get_many(keys[2:])
    assert all(map(usable, [cache] * 2, keys[:2]))
    cluster.masters[2].start()
    eventually(lambda: usable(cache, keys[2]))
    assert cache.get_many(keys) == dict.fromkeys(keys, b"v")


@pytest.mark.slow
def test_in_a_cluster_the_replica_takes_over(cluster: ClusterSet, connect: Connect) -> None:
    cache = connect(cluster.url, BRIEF)
    key = key_on(0)
    eventually(lambda: usable(cache, key))
    cluster.masters[0].pause()
    try:
        with pytest.raises(CacheUnavailable):
            cache.get(key)
        eventually(lambda: usable(cache, key))
        eventually(lambda: usable(cache, key_on(1)))
    finally:
        cluster.masters[0].resume()
    eventually(lambda: usable(cache, key))


@pytest.mark.slow
def test_in_a_cluster_moved_keys_are_followed(cluster: ClusterSet, connect: Connect) -> None:
    cache = connect(cluster.url)
    key = key_on(0)
    assert cache.get(key) is None
    target = cluster.masters[1].ask("CLUSTER", "MYID")
    assert isinstance(target, bytes)
    for node in (cluster.masters[1], cluster.masters[0], cluster.masters[2]):
        node.ask("CLUSTER", "SETSLOT", key_slot(key.encode()), "NODE", target.decode())
    assert usable(cache, key)
    assert cluster.masters[1].ask("EXISTS", key) == 1


@pytest.mark.slow
def test_a_cluster_that_was_gone_as_a_whole(cluster: ClusterSet, connect: Connect) -> None:
    cache = connect(cluster.url)
    assert usable(cache)
    for node in (*cluster.masters, cluster.replica):
        node.kill()
    for _ in range(5):
        assert not usable(cache)
    for node in (*cluster.masters, cluster.replica):
        node.start()
    eventually(lambda: all(usable(cache, key_on(number)) for number in range(3)))
