"""One upstream call for any number of readers, over workers and hosts, whatever happens to the one who fetches."""

from __future__ import annotations

import os
import signal
import time
from functools import partial

import pytest

from testing.threads import together
from testing.waiting import eventually
from tests.integration.processes.conftest import NewHost
from tests.servers.scripted_runtime import POINT, ScriptedRuntime
from tests.servers.service_hosts import load
from tests.servers.valkey import ValkeyServer

RUN = "/runs/run-for-all/metric-resource"
READERS = 48
FRESH = 2
METRICS = {"count": 1, "resources": [{"executionId": "run-for-all", "metrics": [POINT]}]}


def one_a_lifetime(since: float) -> int:
    """How many fetches there may have been since then: one, but for a machine that was busy for longer than an answer is
    fresh."""
    return 1 + int((time.monotonic() - since) / FRESH)


@pytest.mark.parametrize("hosts", [pytest.param(1, marks=pytest.mark.slow), 2])
def test_readers_of_all_workers_and_hosts_cause_one_call_at_first_and_at_expiry(
    new_host: NewHost, runtime: ScriptedRuntime, valkey: ValkeyServer, hosts: int
) -> None:
    began = [new_host(REDIS_URL=valkey.url, CACHE_FRESH_RUNNING=str(FRESH)) for _ in range(hosts)]
    began[0].get("/capabilities")
    runtime.say("metrics", 200, METRICS, wait=0.6)
    readers = [partial(began[number % hosts].get, RUN) for number in range(READERS)]
    since = time.monotonic()

    def has_expired() -> bool:
        nonlocal since
        since = time.monotonic()
        return "stale-while-revalidate" in began[0].get(RUN).headers["Cache-Status"]

    assert {answer.status for answer in together(*readers)} == {200}
    at_first = runtime.asked["metrics"]
    assert 1 <= at_first <= one_a_lifetime(since)
    eventually(has_expired)
    assert {answer.status for answer in together(*readers)} == {200}
    eventually(lambda: runtime.asked["metrics"] > at_first)
    assert {answer.status for answer in together(*readers)} == {200}
    assert runtime.asked["metrics"] - at_first <= one_a_lifetime(since)


def test_without_redis_the_same_holds_within_a_worker(new_host: NewHost, runtime: ScriptedRuntime) -> None:
    host = new_host(WEB_CONCURRENCY="1")
    host.get("/capabilities")
    runtime.say("metrics", 200, METRICS, wait=0.6)
    assert {answer.status for answer in together(*[partial(host.get, RUN)] * READERS)} == {200}
    assert runtime.asked["metrics"] == 1


def test_a_failing_runtime_is_not_asked_by_each_waiter_in_turn(
    new_host: NewHost, runtime: ScriptedRuntime, valkey: ValkeyServer
) -> None:
    host = new_host(REDIS_URL=valkey.url)
    host.get("/capabilities")
    runtime.say("metrics", 500, {"error": {}}, wait=1.0)
    answers = together(*[partial(host.get, RUN)] * READERS)
    assert {answer.status for answer in answers} == {503}
    assert runtime.asked["metrics"] < READERS / 8, "once for all, and for those who come when it has failed"


def test_a_fetcher_that_is_killed_is_replaced(
    new_host: NewHost, runtime: ScriptedRuntime, valkey: ValkeyServer
) -> None:
    """Two hosts of one worker each; the one that fetches is killed while it does."""
    first, second = (new_host(REDIS_URL=valkey.url, WEB_CONCURRENCY="1", RUNTIME_TIMEOUT="30") for _ in range(2))
    first.get("/capabilities")
    killed = first.workers()[0]
    runtime.say("metrics", 200, METRICS, wait=120.0)
    with load(1, lambda: first.get(RUN)):
        eventually(lambda: runtime.asked["metrics"] == 1)
        runtime.answers.pop("metrics")
        os.kill(killed, signal.SIGKILL)
        assert second.get(RUN).status == 200, "else the killed worker's fetch was waited for"
    eventually(lambda: first.workers() and killed not in first.workers())
    eventually(lambda: first.get(RUN).status == 200)
