"""Redis in trouble under load: no request fails for it, and it is used again soon after."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from testing.effort import effort
from testing.waiting import eventually
from tests.integration.processes.conftest import NewHost
from tests.servers.service_hosts import Answer, ServiceHost, load
from tests.servers.valkey import ValkeyServer, running

Trouble = Callable[[ValkeyServer], object]
TROUBLED = effort(1, 4)
"""Seconds of trouble."""


def fill(server: ValkeyServer) -> None:
    server.ask("CONFIG", "SET", "maxmemory-policy", "noeviction")
    server.ask("CONFIG", "SET", "maxmemory", "1")


def empty(server: ValkeyServer) -> None:
    server.ask("CONFIG", "SET", "maxmemory", "0")


def make_replica(server: ValkeyServer) -> None:
    server.ask("REPLICAOF", "127.0.0.1", 1)


def make_master(server: ValkeyServer) -> None:
    server.ask("REPLICAOF", "NO", "ONE")


def scribble(server: ValkeyServer) -> None:
    """Put garbage, and values of other types, in place of everything."""
    keys = server.ask("KEYS", "*")
    assert isinstance(keys, list)
    for number, key in enumerate(keys):
        put = "redis.call('SET', KEYS[1], '\\0garbage')" if number % 2 else "redis.call('LPUSH', KEYS[1], 'garbage')"
        server.ask("EVAL", f"redis.call('DEL', KEYS[1]) {put}", 1, key)  # at once: others write there meanwhile


TROUBLES: dict[str, tuple[Trouble, Trouble]] = {
    "killed": (ValkeyServer.kill, ValkeyServer.start),
    "paused": (ValkeyServer.pause, ValkeyServer.resume),
    "full": (fill, empty),
    "read-only": (make_replica, make_master),
    "garbage": (scribble, scribble),
}


@contextmanager
def under_load(host: ServiceHost) -> Iterator[list[Answer]]:
    """Readers of runs that are stored, that expire and that are new."""
    numbers = itertools.count()

    def read() -> Answer:
        number = next(numbers)
        run = f"run-new-{number}" if number % 10 == 0 else f"run-{number % 7:04}"
        return host.get(f"/runs/{run}/metric-resource")

    with load(8, read) as answers:
        eventually(lambda: len(answers) > 50)
        yield answers


def is_used(host: ServiceHost, valkey: ValkeyServer) -> bool:
    """Whether something new that is read comes to be stored in Redis."""
    valkey.ask("FLUSHALL")
    host.get(f"/runs/run-{time.time_ns()}/metric-resource")
    return bool(valkey.ask("DBSIZE"))


@pytest.mark.parametrize(
    "trouble", ["killed", *(pytest.param(each, marks=pytest.mark.slow) for each in TROUBLES if each != "killed")]
)
def test_no_request_fails_and_it_is_used_again(new_host: NewHost, tmp_path: Path, trouble: str) -> None:
    begin, end = TROUBLES[trouble]
    with running(tmp_path / "redis") as valkey:
        host = new_host(REDIS_URL=valkey.url, CACHE_FRESH_RUNNING="1")
        with under_load(host) as answers:
            begin(valkey)
            ends = time.monotonic() + TROUBLED
            eventually(lambda: time.monotonic() > ends)
            end(valkey)
            eventually(lambda: is_used(host, valkey))
    failed = [answer for answer in answers if answer.status != 200]
    assert not failed, failed[0]


def test_the_log_tells_each_change_once_and_metrics_count_what_failed(new_host: NewHost, tmp_path: Path) -> None:
    with running(tmp_path / "redis") as valkey:
        host = new_host(REDIS_URL=valkey.url, WEB_CONCURRENCY="1")
        with under_load(host):
            valkey.kill()
            eventually(lambda: '"state": "down"' in host.log())
            valkey.start()
            eventually(lambda: '"state": "up"' in host.log())
    assert [host.log().count(f'"state": "{state}"') for state in ("down", "up")] == [1, 1]
    assert b"metric_resource_cache_server_errors_total" in host.get("/metrics").body
