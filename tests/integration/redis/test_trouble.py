"""A server in trouble: no exception but ``CacheUnavailable``, and used again when the trouble is over."""

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from service.caching.protocol import Replacement
from service.caching.redis.cache import RedisCache
from service.concurrency.circuit_breaker import Tolerance
from service.domain.errors import CacheUnavailable
from service.telemetry.prometheus import Telemetry
from testing.clocks import Clock
from testing.ports import free_port
from testing.threads import together
from testing.waiting import eventually
from tests.integration.redis.conftest import BRIEF, Connect
from tests.rows import each_row
from tests.servers.odd import Manners, answers, drips, hangs_up, odd_server, stays_silent
from tests.servers.valkey import ValkeyServer, running

OPERATIONS: dict[str, Callable[[RedisCache], object]] = {
    "get": lambda cache: cache.get("k"),
    "get_many": lambda cache: cache.get_many(["k", "l"]),
    "set one": lambda cache: cache.set_many({"k": b"v"}, 60),
    "set many": lambda cache: cache.set_many({"k": b"v", "l": b"w"}, 60),
    "replace": lambda cache: cache.replace_many({"k": Replacement(b"v", 60, {})}),
    "delete": lambda cache: cache.delete("k"),
    "acquire": lambda cache: cache.acquire("lock", "me", 60),
    "acquire many": lambda cache: cache.acquire_many({"k": "lock"}, "me", 60),
    "extend": lambda cache: cache.extend("lock", "me", 60),
    "release": lambda cache: cache.release("lock", "me"),
    "ping": lambda cache: cache.ping(),
}
WRITES = ["set one", "set many", "replace", "acquire", "acquire many"]


def usable(cache: RedisCache) -> bool:
    try:
        cache.set_many({"k": b"v"}, 60)
        return cache.get("k") == b"v"
    except CacheUnavailable:
        return False


def errors_counted(telemetry: Telemetry) -> float:
    return telemetry.registry.get_sample_value("metric_resource_cache_server_errors_total") or 0.0


def states(caplog: pytest.LogCaptureFixture, port: int, *sets: str) -> list[str]:
    """What was logged of these servers: caches of earlier tests, whose servers are gone, may say so as well."""
    records = [record.__dict__ for record in caplog.records if record.name == "service.caching"]
    return [each["state"] for each in records if each["server"] in (f"127.0.0.1:{port}", *sets)]


ODD: dict[str, Manners] = {
    "silence": stays_silent,
    "hanging up": hangs_up,
    "another protocol": answers(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
    "an odd number": answers(b":many\r\n"),
    "an odd length": answers(b"$many\r\n"),
    "an odd count": answers(b"*-7\r\n"),
    "an array without end": answers(b"*99999999\r\n" + b"$1\r\nx\r\n" * 1000),
    "arrays in arrays without end": answers(b"*1\r\n" * 100_000),
    "yes to everything": answers(b"+OK\r\n"),
    "a number to everything": answers(b":1\r\n"),
    "two answers to everything": answers(b"+OK\r\n+OK\r\n"),
    "another array": answers(b"*3\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n"),
    "an array of numbers": answers(b"*1\r\n:1\r\n"),
    "an error of no kind": answers(b"-\xff\xfe\r\n"),
    "a move to nowhere": answers(b"-MOVED 1 127.0.0.1:1\r\n"),
    "half a move": answers(b"-MOVED\r\n"),
    "loading": answers(b"-LOADING dataset\r\n"),
    "cluster down": answers(b"-CLUSTERDOWN it is\r\n"),
    "too many clients": answers(b"-ERR max number of clients reached\r\n"),
    "a byte now and then": drips(b"$100000\r\nxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", 0.02),
    "bytes without a line": drips(b"x", 0.02),
}


@pytest.mark.slow
@each_row("form", ["redis://127.0.0.1:{}", "redis+cluster://127.0.0.1:{}", "redis+sentinel://127.0.0.1:{}/s"])
@each_row("manners", list(ODD))
def test_nothing_but_cache_unavailable_comes_of_an_odd_server(manners: str, form: str) -> None:
    telemetry = Telemetry()
    with odd_server(ODD[manners]) as port:
        cache = RedisCache(form.format(port), timeout=0.05, telemetry=telemetry, tolerance=Tolerance(failures=1000))
        results = together(*[partial(_outcome, partial(operation, cache)) for operation in OPERATIONS.values()])
        assert set(results) <= {"unavailable", "returned"}
        assert _outcome(lambda: cache.get("k")) == "unavailable"
        cache.close()
    assert errors_counted(telemetry) > 0


def _outcome(call: Callable[[], object]) -> str:
    try:
        call()
    except CacheUnavailable:
        return "unavailable"
    return "returned"


@each_row("operation", OPERATIONS.values())
@each_row("form", ["redis://127.0.0.1:{}", "rediss://127.0.0.1:{}", "unix:///nowhere/{}", "redis+cluster://127.0.0.1:{}",
             "redis+sentinel://127.0.0.1:{}/s"])  # fmt: skip
def test_a_server_that_is_not_there(form: str, operation: Callable[[RedisCache], object], connect: Connect) -> None:
    cache = connect(form.format(free_port()))
    for _ in range(3):
        with pytest.raises(CacheUnavailable):
            operation(cache)


def test_killed_and_back(
    server: ValkeyServer, cache: RedisCache, telemetry: Telemetry, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "service.caching")
    assert usable(cache)
    server.kill()
    for operation in OPERATIONS.values():
        with pytest.raises(CacheUnavailable):
            operation(cache)
    assert errors_counted(telemetry) == len(OPERATIONS)
    server.start()
    eventually(lambda: usable(cache))
    assert states(caplog, server.port) == ["down", "up"]


def test_locks_work_on_a_server_that_forgot_the_scripts(server: ValkeyServer, cache: RedisCache) -> None:
    assert cache.acquire("lock", "me", 60)
    assert cache.extend("lock", "me", 60)
    server.ask("SCRIPT", "FLUSH")
    assert cache.extend("lock", "me", 60)
    server.ask("SCRIPT", "FLUSH")
    cache.release("lock", "me")
    assert cache.acquire("lock", "you", 60)


def test_paused_and_back(server: ValkeyServer, connect: Connect, caplog: pytest.LogCaptureFixture) -> None:
    cache = connect(server.url, BRIEF)
    eventually(lambda: usable(cache))
    caplog.set_level("INFO", "service.caching")
    server.pause()
    try:
        for operation in OPERATIONS.values():
            with pytest.raises(CacheUnavailable):
                operation(cache)
    finally:
        server.resume()
    eventually(lambda: usable(cache))
    assert states(caplog, server.port)[:2] == ["down", "up"]


def test_while_it_is_down_one_of_many_threads_asks_it(server: ValkeyServer, telemetry: Telemetry) -> None:
    """All connections that the paused server is offered wait in its queue, and are counted once it runs again."""
    clock = Clock()
    cache = RedisCache(server.url, timeout=0.1, telemetry=telemetry, clock=clock)
    server.ask("CONFIG", "RESETSTAT")
    server.pause()
    try:
        for _ in range(2):
            assert not usable(cache)
        clock.pass_(60)
        assert together(*[partial(usable, cache)] * 30) == [False] * 30
    finally:
        server.resume()
    asked = connections_made(server)
    cache.close()
    assert asked <= 8


def connections_made(server: ValkeyServer) -> int:
    found = re.search(r"total_connections_received\D+(\d+)", str(server.ask("INFO", "stats")))
    assert found is not None
    return int(found[1])


def test_full_reads_go_on(tmp_path: Path, connect: Connect, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "service.caching")
    with running(tmp_path / "small", "--maxmemory-policy", "noeviction") as server:
        cache = connect(server.url)
        cache.set_many({"k": b"v"}, 60)
        server.ask("CONFIG", "SET", "maxmemory", "1")
        for _ in range(5):
            for name in WRITES:
                with pytest.raises(CacheUnavailable):
                    OPERATIONS[name](cache)
            assert cache.get("k") == b"v"
        cache.delete("k")
        assert cache.get("k") is None
        server.ask("CONFIG", "SET", "maxmemory", "0")
        assert usable(cache)
        assert states(caplog, server.port)[:1] == ["refusing"]
        assert "down" not in states(caplog, server.port)


def test_a_replica_reads_and_does_not_write(
    server: ValkeyServer, tmp_path: Path, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    server.ask("CONFIG", "SET", "repl-diskless-sync-delay", "0")
    connect(server.url).set_many({"k": b"v"}, 60)
    with running(tmp_path / "replica", "--replicaof", "127.0.0.1", str(server.port)) as replica:
        eventually(lambda: replica.ask("GET", "k") == b"v")  # until then it may be loading, and refuse reads as well
        cache = connect(replica.url)
        assert cache.get("k") == b"v"
        for name in [*WRITES, "delete"]:
            with pytest.raises(CacheUnavailable):
                OPERATIONS[name](cache)
        assert cache.get("k") == b"v"
    assert states(caplog, replica.port) == ["refusing"]


def test_what_the_acl_denies(server: ValkeyServer, connect: Connect) -> None:
    server.ask("ACL", "SETUSER", "reader", "on", ">secret", "~*", "-@all", "+mget", "+ping")
    connect(server.url).set_many({"k": b"v"}, 60)
    cache = connect(f"redis://reader:secret@127.0.0.1:{server.port}")
    for name in [*WRITES, "delete", "extend", "release"]:
        with pytest.raises(CacheUnavailable):
            OPERATIONS[name](cache)
        assert cache.get("k") == b"v"


def test_what_others_left_under_our_keys(server: ValkeyServer, cache: RedisCache) -> None:
    """A value of another type is nothing of ours: it is written over, and as a lock without an end taken over."""
    server.ask("RPUSH", "k", "x")
    server.ask("RPUSH", "lock", "x")
    assert cache.get_many(["k", "l"]) == {"k": None, "l": None}
    assert usable(cache)
    assert cache.acquire("lock", "me", 60)
    assert not cache.acquire("lock", "another", 60)
    assert cache.extend("lock", "me", 60)
    assert usable(cache)


def test_a_connection_cut_in_between(server: ValkeyServer, cache: RedisCache) -> None:
    assert usable(cache)
    server.ask("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    eventually(lambda: usable(cache))


def test_a_key_that_cannot_be_written_as_bytes(cache: RedisCache) -> None:
    with pytest.raises(CacheUnavailable):
        cache.get("\ud800")


def test_no_password_in_the_log(caplog: pytest.LogCaptureFixture, connect: Connect) -> None:
    caplog.set_level("DEBUG")
    port = free_port()
    for form in ("redis://u:SECRET@127.0.0.1:{}", "redis+cluster://u:SECRET@127.0.0.1:{}",
                 "redis+sentinel://u:SECRET@127.0.0.1:{}/s?sentinel_password=SECRET"):  # fmt: skip
        cache = connect(form.format(port))
        for _ in range(3):
            assert not usable(cache)
    assert states(caplog, port, "cluster", "s") == ["down"] * 3
    assert "SECRET" not in caplog.text
