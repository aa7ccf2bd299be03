"""What ``check`` says of a Redis server that cannot be used: cause and cure, of real servers; never the password."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from service.caching.redis.diagnosis import diagnose
from service.telemetry.prometheus import Telemetry
from testing.ports import free_port
from testing.waiting import eventually
from tests.rows import each_row
from tests.servers.tls import Authority, tls_front
from tests.servers.valkey import ValkeyServer, running
from tests.servers.valkey_sets import SERVICE, cluster_set, sentinel_set

SECRET = "s3cret"


def said(url: str) -> str:
    trouble = diagnose(url, Telemetry()) or "usable"
    assert SECRET not in trouble
    assert "127.0.0.1" not in trouble
    return trouble


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyServer]:
    with running(tmp_path_factory.mktemp("diagnosis") / "valkey") as server:
        yield server


def user(server: ValkeyServer, name: str, *rules: str) -> str:
    server.ask("ACL", "SETUSER", name, "reset", "on", f">{SECRET}", *rules)
    return f"redis://{name}:{SECRET}@127.0.0.1:{server.port}"


def test_passwords(shared: ValkeyServer, tmp_path: Path) -> None:
    with running(tmp_path / "locked", "--requirepass", "p/a@s#s%") as locked:
        host = f"127.0.0.1:{locked.port}"
        assert said(f"redis://:p%2Fa%40s%23s%25@{host}") == "usable"
        assert said(f"redis://:{SECRET}@{host}").startswith("refuses user or password: set both in REDIS_URL")
        assert said(f"redis://nobody:{SECRET}@{host}").startswith("refuses user or password")
        assert said(f"redis://{host}") == "wants a password, and REDIS_URL has none"
    assert said(f"redis://:{SECRET}@127.0.0.1:{shared.port}") == "has no password, and REDIS_URL gives one"


def test_a_binding_is_named_where_it_gave_the_url(tmp_path: Path) -> None:
    with running(tmp_path / "locked", "--requirepass", "p") as locked:
        trouble = diagnose(locked.url, Telemetry(), "the redis-cache binding")
    assert trouble == "wants a password, and the redis-cache binding has none"


def test_hosts(shared: ValkeyServer) -> None:
    assert said(f"redis://:{SECRET}@127.0.0.1:{free_port()}").startswith("refuses connections")
    assert said(f"redis://:{SECRET}@no-such-host.invalid").startswith("has a host name that cannot be resolved")
    assert said("unix:///nowhere/redis.sock") == "has no socket at that path"
    shared.pause()
    try:
        assert said(shared.url).startswith("does not answer")
    finally:
        shared.resume()


def test_sentinels_that_cannot_be_asked(shared: ValkeyServer) -> None:
    """Neither knows a master; why is what helps."""
    assert said(f"redis+sentinel://127.0.0.1:{free_port()}/cache").startswith("refuses connections")
    assert said("redis+sentinel://no-such-host.invalid/cache").startswith("has a host name that cannot be resolved")
    shared.ask("ACL", "SETUSER", "sentinel", "reset", "on", f">{SECRET}", "+@all")
    sentinel = f"redis+sentinel://127.0.0.1:{shared.port}/cache?sentinel_username=sentinel&sentinel_password="
    assert said(f"{sentinel}{SECRET}").startswith("is no sentinel")
    assert said(f"{sentinel}wrong").startswith("refuses user or password")
    shared.pause()
    try:
        assert said(f"{sentinel}{SECRET}").startswith("does not answer")
    finally:
        shared.resume()


def test_databases_and_forms(shared: ValkeyServer) -> None:
    assert said(f"{shared.url}/99") == "has no database of the number in REDIS_URL"
    assert said(shared.url.replace("redis", "valkey+cluster")).startswith("is no cluster")
    assert said(shared.url.replace("redis", "redis+sentinel") + "/cache").startswith("is no sentinel")


@each_row("command", ["ping", "mget", "set", "del", "get", "pexpire", "pttl", "evalsha"])
def test_each_command_that_is_not_permitted(shared: ValkeyServer, command: str) -> None:
    """Scripts that are known need no EVAL, so it is not missed."""
    needed = {"ping", "mget", "set", "del", "get", "pexpire", "pttl", "eval", "evalsha"}
    everything = user(shared, "all", "~mr1:*", *[f"+{one}" for one in needed])
    assert said(everything) == "usable"
    lacking = user(shared, "lacking", "~mr1:*", *[f"+{one}" for one in needed - {command}])
    assert said(lacking).startswith(f"forbids the user the command {command.upper()}")


def test_keys_that_are_not_permitted(shared: ValkeyServer) -> None:
    assert said(user(shared, "elsewhere", "~other", "+@all")).startswith("forbids the user the service's keys")


def test_tls(shared: ValkeyServer, tmp_path: Path) -> None:
    known, stranger = Authority(tmp_path, "known"), Authority(tmp_path, "stranger")
    trusting = f"ssl_ca_certs={known.certificate}"
    with tls_front(shared.port, stranger.issue("127.0.0.1")) as port:
        assert "authority that is not trusted" in said(f"rediss://127.0.0.1:{port}?{trusting}")
        assert "TLS" in said(f"redis://127.0.0.1:{port}")
    with tls_front(shared.port, known.issue("elsewhere.example")) as port:
        assert "certificate for another host" in said(f"valkeys://127.0.0.1:{port}?{trusting}")
    with tls_front(shared.port, known.issue("127.0.0.1"), clients=known) as port:
        assert "certificate of the client" in said(f"rediss://127.0.0.1:{port}?{trusting}")
    with tls_front(shared.port, known.issue("127.0.0.1")) as port:
        assert said(f"rediss://127.0.0.1:{port}?{trusting}") == "usable"
    assert "TLS" in said(f"rediss://127.0.0.1:{shared.port}")


def test_servers_that_take_nothing(server: ValkeyServer) -> None:
    server.ask("CONFIG", "SET", "maxmemory", "1")
    assert said(server.url).startswith("is full: raise its maxmemory")
    server.ask("CONFIG", "SET", "maxmemory", "0")
    server.ask("REPLICAOF", "127.0.0.1", 1)
    assert said(server.url).startswith("is a read-only replica")
    server.ask("REPLICAOF", "NO", "ONE")
    server.ask("CONFIG", "SET", "maxclients", "1")
    with contextlib.closing(redis.Redis(port=server.port)) as only:
        eventually(only.ping)  # the client before may not have gone yet
        assert said(server.url).startswith("has as many clients as it takes")


@pytest.mark.slow
def test_sets_of_servers(tmp_path: Path) -> None:
    with sentinel_set(tmp_path / "sentinels") as sentinels:
        assert said(sentinels.url) == "usable"
        assert "no master of the name" in said(sentinels.url.replace(f"/{SERVICE}/", "/another/"))
    with cluster_set(tmp_path / "cluster") as cluster:
        assert said(cluster.url) == "usable"
        assert said(cluster.masters[0].url) == "is part of a cluster: write +cluster in the scheme of REDIS_URL"
