"""Runs that are slow cost others nothing: the goals of isolation, with the service's own defaults but the timeout."""

from __future__ import annotations

import itertools
import json
import statistics
import threading
import time
from collections.abc import Callable
from functools import partial

import pytest

from tests.integration.processes.conftest import NewHost
from tests.servers.scripted_runtime import ScriptedRuntime
from tests.servers.service_hosts import Answer, ServiceHost, load
from tests.servers.valkey import ValkeyServer

CLIENTS = 160
TIMEOUT = 5
ALLOWED = {"runtime-timeout", "overloaded", "runtime-unavailable"}
"""What a client of a slow run may be answered."""
_TRIES = 4


def problem(answer: Answer) -> str:
    return str(json.loads(answer.body)["type"]).removeprefix("urn:metric-resource:")


def read_others(host: ServiceHost) -> tuple[list[Answer], list[Answer]]:
    """Warm reads of one run and cold reads of others, in turns."""
    warm, cold = [], []
    for number in range(40):
        warm += [host.get("/runs/run-warm/metric-resource") for _ in range(3)]
        cold.append(patiently(partial(host.get, f"/runs/run-cold-{number}/metric-resource")))
    return warm, cold


def patiently(ask: Callable[[], Answer]) -> Answer:
    """As a client does that is asked to retry later."""
    answer = ask()
    for _ in range(_TRIES - 1):
        if answer.status != 503:
            break
        time.sleep(float(answer.headers["Retry-After"]))
        answer = ask()
    return answer


@pytest.mark.parametrize("runs", [12, pytest.param(CLIENTS, marks=pytest.mark.slow)])
def test_many_clients_on_slow_runs_cost_the_others_nothing(
    new_host: NewHost, runtime: ScriptedRuntime, valkey: ValkeyServer, runs: int
) -> None:
    runtime.slow["slow-"] = 30.0
    host = new_host(REDIS_URL=valkey.url, RUNTIME_TIMEOUT=str(TIMEOUT))
    assert host.get("/runs/run-warm/metric-resource").status == 200
    numbers = itertools.count()
    pause = threading.Event()

    def slow() -> Answer:
        answer = host.get(f"/runs/slow-{next(numbers) % runs}/metric-resource")
        pause.wait(float(answer.headers.get("Retry-After", 0)))
        return answer

    with load(CLIENTS, slow) as answers:
        warm, cold = read_others(host)
        pause.set()
    assert {answer.status for answer in warm} == {200}
    usual = statistics.median(answer.seconds for answer in warm)
    assert usual < TIMEOUT / 2, (
        "they waited for slow runs; a moment in which the machine stands still changes no median"
    )
    assert sum(answer.status == 200 for answer in cold) >= 0.9 * len(cold), [answer.status for answer in cold]
    assert {problem(answer) for answer in answers} <= ALLOWED
    assert all("Retry-After" in answer.headers for answer in answers if answer.status == 503)
    assert patiently(partial(host.get, "/runs/run-after/metric-resource")).status == 200
