"""Signals and kills under load: what was accepted is answered, what is new is served."""

from __future__ import annotations

import os
import signal
from functools import partial

from testing.threads import together
from testing.waiting import eventually
from tests.integration.processes.conftest import NewHost
from tests.servers.scripted_runtime import ScriptedRuntime
from tests.servers.service_hosts import Answer, load
from tests.servers.valkey import ValkeyServer

RUN = "/runs/run1/metric-resource"


def test_sigterm_finishes_what_is_in_flight(new_host: NewHost, runtime: ScriptedRuntime) -> None:
    host = new_host()
    runtime.slow["slow-"] = 2.0
    in_flight = [partial(host.get, f"/runs/slow-{number}/metric-resource") for number in range(8)]

    def end() -> Answer:
        eventually(lambda: runtime.asked["metrics"] >= len(in_flight))
        host.signal(signal.SIGTERM)
        return Answer(200, {}, b"", 0.0)

    assert [answer.status for answer in together(*in_flight, end)] == [200] * 9
    assert host.wait() == 0
    assert "unexpected error" not in host.log()


def test_hup_reloads_without_a_failed_request_on_new_connections(new_host: NewHost, valkey: ValkeyServer) -> None:
    host = new_host(REDIS_URL=valkey.url)
    before = set(host.workers())
    with load(4, lambda: host.get(RUN)) as answers:
        eventually(lambda: len(answers) > 20)
        host.signal(signal.SIGHUP)
        eventually(lambda: len(host.workers()) == 2 and not before & set(host.workers()))
        seen = len(answers)
        eventually(lambda: len(answers) > seen + 20)
    assert {answer.status for answer in answers} == {200}


def test_a_worker_that_is_killed_is_replaced(new_host: NewHost, valkey: ValkeyServer) -> None:
    host = new_host(REDIS_URL=valkey.url)
    killed = host.workers()[0]
    with load(4, lambda: host.get(RUN)) as answers:
        eventually(lambda: len(answers) > 20)
        os.kill(killed, signal.SIGKILL)
        eventually(lambda: len(host.workers()) == 2 and killed not in host.workers())
        seen = len(answers)
        eventually(lambda: len(answers) > seen + 20)
    failed = [answer for answer in answers if answer.status != 200]
    assert {answer.status for answer in failed} <= {0}, "cut off with their worker, at most"
    assert len(failed) <= 4
