"""A soak: load, a runtime with faults and a Redis that dies, for ``SOAK_SECONDS``; run by ``make soak``.

Asserts that every answer is allowed, and that memory, threads and open files of the workers stay bounded.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import threading
import time
from pathlib import Path

from testing.waiting import eventually
from tests.integration.processes.conftest import NewHost
from tests.servers.scripted_runtime import ScriptedRuntime
from tests.servers.service_hosts import Answer, load
from tests.servers.valkey import ValkeyServer

SECONDS = float(os.environ.get("SOAK_SECONDS", "120"))
WARM_UP = 4.0
MEMORY_GROWTH = 96 * 1024 * 1024
"""Bytes that a worker may grow by after the warm-up: the bounded caches in its memory fill up."""
FAULTS: list[tuple[int, object, float]] = [
    (500, {}, 0.0),
    (503, {}, 0.1),
    (429, {}, 0.0),
    (200, b"<html>", 0.0),
    (200, {"resources": 7}, 0.0),
    (200, {"resources": []}, 3.0),
]
ALLOWED = {200, 429, 502, 503, 504}


def test_nothing_fails_that_may_not_and_nothing_grows(
    new_host: NewHost, runtime: ScriptedRuntime, valkey: ValkeyServer
) -> None:
    host = new_host(REDIS_URL=valkey.url, CACHE_FRESH_RUNNING="1", RUNTIME_TIMEOUT="2")
    known = [f"/runs/run-{number:04}/metric-resource" for number in range(20)]
    assert {host.get(run).status for run in known} == {200}
    numbers, bad = itertools.count(), list[Answer]()

    def read() -> Answer:
        number = next(numbers)
        new = number % 20 == 0
        answer = host.get(f"/runs/run-new-{number}/metric-resource" if new else known[number % len(known)])
        if answer.status != 200 and not (new and _is_told(answer)):
            bad.append(answer)
        return answer

    chance, pause = random.Random(7), threading.Event()
    ends = time.monotonic() + SECONDS
    with load(8, read, pause=0) as answers:
        pause.wait(WARM_UP)
        before = {pid: _usage(pid) for pid in host.workers()}
        while time.monotonic() < ends:
            runtime.say("metrics", *chance.choice(FAULTS))
            pause.wait(chance.uniform(0.5, 2))
            runtime.answers.clear()
            (valkey.kill if chance.random() < 0.5 else valkey.pause)()
            pause.wait(chance.uniform(0.5, 2))
            valkey.kill()
            valkey.start()
            pause.wait(chance.uniform(0.5, 1.5))
            answers.clear()
    assert not bad, bad[0]
    eventually(lambda: host.get(known[0]).headers["Cache-Status"].find("stale-if-error") < 0)
    assert set(host.workers()) == set(before), "no worker died"
    for pid, (memory, threads, files) in before.items():
        now = _usage(pid)
        assert now[0] - memory < MEMORY_GROWTH
        assert now[1] <= threads + 3 * 64, "threads are bounded by the pools"
        assert now[2] <= files + 2 * 64, "open files are bounded by the pools"


def _is_told(answer: Answer) -> bool:
    """Whether a run that was never stored got one of the problems that it may get."""
    return answer.status in ALLOWED and str(json.loads(answer.body)["type"]).startswith("urn:metric-resource:")


def _usage(pid: int) -> tuple[int, int, int]:
    """Resident bytes, threads and open files of a process."""
    proc = Path(f"/proc/{pid}")
    resident = int((proc / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return resident, len(list((proc / "task").iterdir())), len(list((proc / "fd").iterdir()))
