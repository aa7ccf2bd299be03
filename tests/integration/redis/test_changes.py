"""Two hosts on one server: what one replaces, the other gives no longer, whatever becomes of the announcements."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from service.caching.changes import Changes
from service.caching.codec import Header, digest_of
from service.caching.redis.cache import RedisCache
from service.caching.store import COHERENCE, Entry, EntryStore
from testing.waiting import eventually
from tests.integration.redis.conftest import BRIEF, PATIENT, Connect
from tests.servers.link import linked
from tests.servers.valkey import ValkeyServer
from tests.servers.valkey_sets import ClusterSet, cluster_set, sentinel_set

KEY = "mr1:{k}"


class Host:
    """A process of the service, as far as it stores entries."""

    def __init__(self, cache: RedisCache) -> None:
        self.cache = cache
        self.store = EntryStore(cache, secret=None, memory_bytes=10**6)
        self.heard: list[str] = []
        self.store.changes.listen(self.heard.append)
        cache.subscribe(self.store.changes)

    @property
    def changes(self) -> Changes:
        return self.store.changes

    def save(self, number: int, key: str = KEY) -> bool:
        parts = (b"%d" % number,)
        return self.store.save(key, Entry(Header("value", True, float(number), digest_of(parts), 1), parts), 60)

    def given(self, key: str = KEY) -> float | None:
        """When what it gives was fetched; ``None`` where nothing can be read."""
        header = self.store.headers([key]).get(key)
        return None if header is None else header.fetched_at


class NewHost(Protocol):
    def __call__(self, url: str, timeout: float = PATIENT) -> Host: ...


@pytest.fixture
def new_host(connect: Connect) -> NewHost:
    def made(url: str, timeout: float = PATIENT) -> Host:
        host = Host(connect(url, timeout))
        eventually(lambda: host.changes.living)
        return host

    return made


def asked(server: ValkeyServer) -> object:
    """How many reads the server has been asked for."""
    counts = server.ask("INFO", "commandstats")
    assert isinstance(counts, dict)
    return counts.get("cmdstat_mget")


def test_memory_is_trusted_until_another_host_replaces(server: ValkeyServer, new_host: NewHost) -> None:
    writer, reader = new_host(server.url), new_host(server.url)
    writer.save(1)
    eventually(lambda: reader.heard == [KEY])
    assert reader.given() == 1

    def trusts_memory() -> bool:
        time.sleep(COHERENCE + 0.05)
        before = asked(server)
        return reader.given() == 1 and asked(server) == before

    eventually(trusts_memory)
    writer.save(2)
    eventually(lambda: reader.heard == [KEY] * 2)
    assert reader.given() == 2
    assert writer.heard == [KEY] * 2


def test_what_is_replaced_is_given_no_longer_while_announcements_are_held_up(
    server: ValkeyServer, new_host: NewHost
) -> None:
    with linked(server.port) as link:
        writer, reader = new_host(server.url), new_host(link.url, BRIEF)
        writer.save(1)
        eventually(lambda: reader.heard and reader.given() == 1)
        link.hold()
        writer.save(2)
        eventually(lambda: reader.given() == 2)
        assert not reader.changes.living
        assert reader.heard == [KEY]
        link.release()
        eventually(lambda: reader.changes.living)
        assert reader.heard == [KEY] * 2


def test_a_paused_server_is_trusted_no_longer(server: ValkeyServer, new_host: NewHost) -> None:
    host = new_host(server.url, BRIEF)
    server.pause()
    eventually(lambda: not host.changes.living)
    server.resume()
    eventually(lambda: host.changes.living)
    eventually(lambda: host.save(1) and host.heard)
    assert host.given() == 1


def test_what_was_missed_while_nobody_listened_counts_as_replaced(server: ValkeyServer, new_host: NewHost) -> None:
    writer, reader = new_host(server.url), new_host(server.url)
    writer.save(1)
    eventually(lambda: reader.heard and reader.given() == 1)
    before = reader.changes.mark(KEY)
    server.ask("CLIENT", "KILL", "TYPE", "pubsub")
    writer.save(2)
    eventually(lambda: reader.changes.living and reader.changes.mark(KEY).subscription > before.subscription + 1)
    assert reader.given() == 2
    server.kill()
    eventually(lambda: not reader.changes.living)
    server.start()
    eventually(lambda: reader.changes.living)


def test_a_user_who_may_not_publish_trusts_nothing_and_still_stores(server: ValkeyServer, connect: Connect) -> None:
    commands_ = ["+mget", "+set", "+eval", "+evalsha", "+ping", "+client|setname", "+subscribe"]
    server.ask("ACL", "SETUSER", "svc", "on", ">secret", "~*", "resetchannels", "-@all", *commands_)
    host = Host(connect(f"redis://svc:secret@127.0.0.1:{server.port}"))
    host.save(1)
    assert server.ask("EXISTS", KEY) == 1
    assert not host.changes.living
    server.ask("ACL", "SETUSER", "svc", "+publish", "allchannels")
    eventually(lambda: host.changes.living)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterSet]:
    with cluster_set(tmp_path_factory.mktemp("cluster")) as made:
        yield made


def test_a_cluster_announces_from_each_master(cluster: ClusterSet, new_host: NewHost) -> None:
    writer, reader = new_host(cluster.url), new_host(cluster.url)
    keys = [f"mr1:{{{number}}}" for number in range(6)]
    for number, key in enumerate(keys):
        writer.save(number, key)
    eventually(lambda: set(reader.heard) == set(keys))
    assert [reader.given(key) for key in keys] == list(range(6))
    cluster.masters[2].pause()
    try:
        eventually(lambda: not reader.changes.living)
    finally:
        cluster.masters[2].resume()
    eventually(lambda: reader.changes.living)


def test_the_master_that_sentinels_name_announces(tmp_path: Path, new_host: NewHost) -> None:
    with sentinel_set(tmp_path) as servers:
        writer, reader = new_host(servers.url), new_host(servers.url)
        writer.save(1)
        eventually(lambda: reader.heard == [KEY])
        servers.master.kill()
        eventually(lambda: servers.replica_is_master)
        eventually(lambda: reader.changes.living and writer.changes.living)
        eventually(lambda: writer.save(2))
        eventually(lambda: reader.heard[1:])
        assert reader.given() == 2
