"""Reads of many running runs do not wait for a list of them."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from service.concurrency.deadline import Deadline
from service.concurrency.fan_out import FanOut
from service.domain.errors import RuntimeTimeout, ServiceError
from service.domain.runs import RunStatus
from service.domain.runtime import CacheScope, Capabilities, RequestContext, RunMetrics
from service.runtimes.ai_api.client import AIAPIRuntime
from service.runtimes.ai_api.running_runs import RunningRuns
from service.runtimes.http_client import HTTPRequest
from testing.waiting import PATIENCE

SCOPE = CacheScope("tenant", "group")
RUNS = [f"run{number}" for number in range(5)]


@dataclass
class Answer:
    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


class HangingLists:
    """A runtime of running runs that lists them only when ``released``."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.released = threading.Event()
        self.held = threading.Event()

    def read(self, request: HTTPRequest) -> Answer:
        self.asked[request.operation] += 1
        if request.operation == "metrics":
            return Answer(b'{"resources":[]}')
        if request.operation == "executions":
            if not self.released.wait(PATIENCE / 6):
                self.held.set()
            return Answer(b'{"resources":[]}')
        return Answer(b'{"id":"%b","status":"RUNNING"}' % request.path.rpartition("/")[2].encode())


@pytest.fixture
def client() -> Iterator[HangingLists]:
    made = HangingLists()
    yield made
    made.released.set()


def test_a_list_that_does_not_come_holds_nobody(client: HangingLists) -> None:
    fan_out: FanOut[ServiceError] = FanOut(8, ServiceError, RuntimeTimeout)
    runtime = AIAPIRuntime(client, identity="runtime", fan_out=fan_out)
    for expected in ({"execution": 5}, {"execution": 5, "executions": 1}, {"execution": 5}):
        client.asked.clear()
        known = Capabilities("runtime", "2", metrics=True)
        context = RequestContext(SCOPE, Deadline.after(PATIENCE), "request", "", known=known)
        found = runtime.run_metrics(RUNS, context)
        assert {type(each) for each in found.values()} == {RunMetrics}
        assert client.asked == {"metrics": 1, **expected}
    assert not client.held.is_set(), "it has been waited for"
    fan_out.close()


def test_a_list_that_was_no_use_is_on_trial_until_one_is() -> None:
    now = [0.0]
    running = RunningRuns(lambda: now[0])
    running.note(dict.fromkeys(RUNS, RunStatus.RUNNING), SCOPE)
    assert running.worth_listing(RUNS, SCOPE) == RUNS
    assert not running.on_trial(SCOPE)
    assert running.listed(RUNS, RuntimeTimeout(), SCOPE) == []
    assert running.worth_listing(RUNS, SCOPE) == ()
    now[0] += 60.0
    assert running.worth_listing(RUNS, SCOPE) == RUNS
    assert running.on_trial(SCOPE)
    assert running.listed(RUNS, set(RUNS), SCOPE) == RUNS
    assert not running.on_trial(SCOPE)


def test_watched_runs_that_were_never_read_are_looked_up_in_the_list_at_once() -> None:
    class Listing(HangingLists):
        def read(self, request: HTTPRequest) -> Answer:
            if request.operation != "executions":
                return super().read(request)
            self.asked[request.operation] += 1
            listed = ",".join(f'{{"id":"{run_id}","status":"RUNNING"}}' for run_id in RUNS[1:])
            return Answer(f'{{"resources":[{listed}]}}'.encode())

    client = Listing()
    fan_out: FanOut[ServiceError] = FanOut(8, ServiceError, RuntimeTimeout)
    runtime = AIAPIRuntime(client, identity="runtime", fan_out=fan_out)
    known = Capabilities("runtime", "2", metrics=True)
    context = RequestContext(SCOPE, Deadline.after(PATIENCE), "request", "", known=known, watched=True)
    found = runtime.run_metrics(RUNS, context)
    assert [one.status for one in found.values() if isinstance(one, RunMetrics)] == ["RUNNING"] * len(RUNS)
    assert client.asked == {"metrics": 1, "executions": 1, "execution": 1}
    fan_out.close()
