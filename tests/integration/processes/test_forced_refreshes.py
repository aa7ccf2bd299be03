"""However many clients force refreshes, on whatever worker of whatever host: one fetch in a while, of after they asked."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import pytest

from testing.threads import together
from tests.integration.processes.conftest import NewHost
from tests.servers.scripted_runtime import POINT, ScriptedRuntime, serving
from tests.servers.service_hosts import Answer, ServiceHost
from tests.servers.valkey import ValkeyServer

RUN = "/runs/run-for-all/metric-resource"
REFRESHES = [{"Cache_Control": "no-cache"}, {"Pragma": "no-cache"}, {"Cache_Control": "no-cache, no-transform"}]


class TimedRuntime(ScriptedRuntime):
    """Says the time at which it was asked as the value of the one point that there is."""

    def answer(self, path: str, headers: Mapping[str, str] | None = None) -> tuple[int, bytes, float]:
        status, body, wait = super().answer(path, headers)
        if "/metrics" not in path:
            return status, body, wait
        point = POINT | {"value": time.time()}
        return 200, json.dumps({"resources": [{"executionId": "run-for-all", "metrics": [point]}]}).encode(), 0.02


@pytest.fixture
def timed() -> Iterator[TimedRuntime]:
    with serving(TimedRuntime()) as runtime:
        yield runtime


def age_when_asked(host: ServiceHost, **headers: Any) -> tuple[float, Answer]:
    """By how many seconds what was answered is older than the request."""
    asked = time.time()
    answer = host.get(RUN, **headers)
    assert answer.status == 200, answer
    return asked - json.loads(answer.body)["metrics"][0]["value"], answer


def several(ask: Callable[[], tuple[float, Answer]], times: int, oldest: float) -> Answer:
    for _ in range(times):
        age, answer = ask()
        assert age <= oldest
    return answer


def test_refreshes_over_all_workers_and_hosts_are_given_together(
    new_host: NewHost, timed: TimedRuntime, valkey: ValkeyServer
) -> None:
    hosts = [
        new_host(REDIS_URL=valkey.url, AICORE_BASE_URL=timed.url, CACHE_FRESH_RUNNING="60", CACHE_MIN_REFRESH="0.5")
        for _ in range(2)
    ]
    hosts[0].get(RUN)
    before, began = timed.asked["metrics"], time.monotonic()
    refreshing = [
        partial(several, partial(age_when_asked, hosts[number % 2], **REFRESHES[number % 3]), 4, 0.0)
        for number in range(24)
    ]
    polling = [
        partial(several, partial(age_when_asked, hosts[number % 2], Cache_Control="max-age=0"), 20, 0.5)
        for number in range(4)
    ]
    answers = together(*refreshing, *polling)
    taken = time.monotonic() - began
    assert {answer.status for answer in answers} == {200}
    assert 2 <= timed.asked["metrics"] - before <= 1 + taken / 0.5
