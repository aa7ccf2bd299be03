"""Runs that are watched, by real connections to real workers on one store and one runtime."""

from __future__ import annotations

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from testing.waiting import eventually
from tests.integration.processes.conftest import NewHost
from tests.servers.event_streams import EventStream, steps
from tests.servers.scripted_runtime import POINT, ScriptedRuntime
from tests.servers.service_hosts import ServiceHost
from tests.servers.valkey import ValkeyServer

EVENTS = "/runs/run-watched/metric-resource/events"
QUICK = {"CACHE_FRESH_RUNNING": "0.3", "EVENTS_COMMENT": "1"}


class Training:
    """A run that logs steps when it is told to."""

    def __init__(self, runtime: ScriptedRuntime) -> None:
        self._runtime = runtime
        self.steps: list[int] = []
        self.log(1)

    def log(self, *steps: int) -> None:
        self.set(*self.steps, *steps)

    def set(self, *steps: int) -> None:
        self.steps = list(steps)
        metrics = [{**POINT, "step": step} for step in steps]
        self._runtime.say(
            "metrics", 200, {"count": 1, "resources": [{"executionId": "run-watched", "metrics": metrics}]}
        )

    def end(self, status: str = "COMPLETED") -> None:
        self._runtime.say("execution", 200, {"id": "run-watched", "status": status, "configurationId": "c"})


@pytest.fixture
def training(runtime: ScriptedRuntime) -> Training:
    return Training(runtime)


@pytest.fixture
def host(new_host: NewHost, valkey: ValkeyServer, training: Training) -> ServiceHost:
    return new_host(REDIS_URL=valkey.url, **QUICK)


def test_a_run_is_watched_from_its_first_point_to_its_end(host: ServiceHost, training: Training) -> None:
    with EventStream(host.port, EVENTS + "?timezone=Europe/Berlin", host.token) as stream:
        assert stream.response.getheader("Content-Type") == "text/event-stream"
        assert stream.response.getheader("X-Accel-Buffering") == "no"
        assert stream.response.getheader("Cache-Control") == "no-store"
        state, points = stream.until("points")
        assert (state.kind, state.data) == ("state", {"status": "RUNNING", "count": 1, "timezone": "Europe/Berlin"})
        assert points.data["metrics"] == [
            {"name": "loss", "value": 0.5, "timestamp": "2026-03-29T03:00:00.10+02:00", "step": 1, "labels": []}
        ]
        assert stream.response.readline() == b":\n", "a comment keeps a silent stream"
        training.log(2, 3)
        assert steps(stream.until("points")) == [2, 3]
        training.set(1, 5, 2, 3, 3)
        assert steps(stream.until("points")) == [5]
        training.set(7)
        assert [event.kind for event in stream.until("points")] == ["changed", "state", "points"]
        training.end()
        status, end = stream.until("end")
        assert (status.kind, status.data) == ("status", {"status": "COMPLETED"})
        assert end.data == {"reason": "ended"}
        assert list(stream) == []


@pytest.mark.slow
def test_a_reader_goes_on_anywhere_behind_its_last_event(
    new_host: NewHost, host: ServiceHost, valkey: ValkeyServer, training: Training
) -> None:
    other = new_host(REDIS_URL=valkey.url, **QUICK)
    training.log(2)
    with EventStream(host.port, EVENTS, host.token) as stream:
        got = stream.until("points")
        for pid in host.workers():
            os.kill(pid, signal.SIGKILL)
        assert list(stream) == []
    training.set(9, 1, 2, 3)
    with EventStream(other.port, EVENTS, other.token, last=got[-1].id) as stream:
        got += stream.until("points")
    training.log(4)
    eventually(lambda: host.get("/readyz").status == 200)
    with EventStream(host.port, f"{EVENTS}?after={got[-1].id}", host.token) as stream:
        got += stream.until("points")
    assert steps(got) == [1, 2, 9, 3, 4]
    training.log(5)
    with EventStream(host.port, f"{EVENTS}?after={got[0].id}", host.token, last=got[-1].id) as stream:
        assert steps(stream.until("points")) == [5], "EventSource comes back to the same address, with its last id"
    assert "changed" not in [event.kind for event in got]
    with EventStream(host.port, EVENTS, host.token, last="bm8gcG9zaXRpb24") as stream:
        assert [event.kind for event in stream.until("points")] == ["changed", "state", "points"]


@pytest.mark.slow
def test_the_runtime_is_asked_once_for_all_who_watch_on_all_workers(
    new_host: NewHost, runtime: ScriptedRuntime, valkey: ValkeyServer, training: Training
) -> None:
    hosts = [new_host(REDIS_URL=valkey.url, CACHE_FRESH_RUNNING="1") for _ in range(2)]
    with ExitStack() as stack:
        streams = [stack.enter_context(EventStream(hosts[n % 2].port, EVENTS, hosts[0].token)) for n in range(24)]
        for stream in streams:
            assert steps(stream.until("points")) == [1]
        asked, since = runtime.asked["metrics"], time.monotonic()
        for step in (2, 3, 4):
            before = runtime.asked["metrics"]
            eventually(lambda before=before: runtime.asked["metrics"] > before)
            training.log(step)
            for stream in streams:
                assert steps(stream.until("points")) == [step]
        most = max(3 * 2, int(time.monotonic() - since)) + 1  # one a second, however long a busy machine takes
        assert runtime.asked["metrics"] - asked <= most
    eventually(lambda: b"event_streams 0.0" in hosts[0].get("/metrics").body)
    asked = runtime.asked["metrics"]
    assert hosts[0].get("/livez").status == 200
    assert runtime.asked["metrics"] == asked


def test_workers_that_stop_say_so_at_once_and_a_reload_hands_over_without_loss(
    host: ServiceHost, training: Training
) -> None:
    before = host.workers()
    with EventStream(host.port, EVENTS, host.token) as stream:
        got = stream.until("points")
        host.signal(signal.SIGHUP)
        got += list(stream)
    assert (got[-1].kind, got[-1].data) == ("end", {"reason": "shutdown"})
    training.log(2)
    eventually(lambda: not set(before) & set(host.workers()))
    with EventStream(host.port, EVENTS, host.token, last=got[-1].id) as stream:
        after = stream.until("points")
        assert [event.kind for event in after] == ["state", "points"]
        assert steps(got + after) == [1, 2]
        host.signal(signal.SIGTERM)
        assert [event.data for event in stream] == [{"reason": "shutdown"}]
    assert host.wait() == 0


@pytest.mark.slow
def test_a_slow_reader_is_dropped_and_comes_back(new_host: NewHost, training: Training) -> None:
    host = new_host(WEB_CONCURRENCY="1", **QUICK)
    with EventStream(host.port, EVENTS, host.token) as slow, EventStream(host.port, EVENTS, host.token) as quick:
        got, read = slow.until("points"), 0
        for number in range(1, 6):  # half a megabyte each
            training.log(*range(6000 * number, 6000 * (number + 1)))
            while read < len(training.steps):
                read += len(steps(quick.until("points")))
        eventually(lambda: b'event_stream_ends_total{reason="slow"} 1.0' in host.get("/metrics").body)
        got += list(slow)
    assert "end" not in [event.kind for event in got]
    assert len(steps(got)) < len(training.steps)
    with EventStream(host.port, EVENTS, host.token, last=got[-1].id) as stream:
        while len(steps(got)) < len(training.steps):
            got += stream.until("points")
    assert sorted(steps(got)) == training.steps


def test_no_working_thread_is_kept_and_one_stream_too_many_is_refused(new_host: NewHost, training: Training) -> None:
    host = new_host(WEB_CONCURRENCY="1", WEB_THREADS="1", EVENTS_MOST="3", **QUICK)
    with ExitStack() as stack:
        streams = [stack.enter_context(EventStream(host.port, EVENTS, host.token)) for _ in range(3)]
        for stream in streams:
            stream.until("points")
        assert host.get("/runs/run-watched/metric-resource").status == 200
        with EventStream(host.port, EVENTS, host.token) as refused:
            assert refused.status == 503
            assert int(refused.response.getheader("Retry-After") or 0) > 0
        streams[0].close()
        eventually(lambda: EventStream(host.port, EVENTS, host.token).status == 200)
        training.log(2)
        assert steps(streams[1].until("points")) == [2]


@pytest.mark.slow
def test_an_answer_is_awaited_until_it_differs(new_host: NewHost, training: Training) -> None:
    host = new_host(WEB_CONCURRENCY="1", WEB_THREADS="1", **QUICK)
    run = "/runs/run-watched"
    for path in (f"{run}/metric-resource", f"{run}/metric-resource/series", run):
        tag = host.get(path).headers["ETag"]
        with ThreadPoolExecutor() as pool:
            waiting = pool.submit(host.get, path, If_None_Match=tag, Prefer="wait=30")
            assert host.get(path, If_None_Match=tag).status == 304
            over = host.get(path, If_None_Match=tag, Prefer="wait=1")
            assert (over.status, over.headers["Preference-Applied"]) == (304, "wait=1")
            endless = pool.submit(host.get, path, If_None_Match=tag, Prefer=f"wait={'9' * 100}")
            assert not waiting.done()
            if path == run:
                training.end()
            else:
                training.log(len(training.steps) + 1)
            answer = waiting.result()
        assert (answer.status, answer.headers["Preference-Applied"]) == (200, "wait=30")
        assert endless.result().headers["Preference-Applied"] == "wait=60"
        assert answer.headers["ETag"] != tag


@pytest.mark.slow
def test_a_stream_goes_on_behind_an_answer_of_the_metric_resource(host: ServiceHost, training: Training) -> None:
    training.log(2)
    answer = host.get("/runs/run-watched/metric-resource?limit=1")
    training.log(3)
    with EventStream(host.port, EVENTS, host.token, last=answer.headers["Event-ID"]) as stream:
        assert steps(stream.until("points")) == [3]


def test_what_another_host_has_fetched_is_given_at_once(
    new_host: NewHost, valkey: ValkeyServer, training: Training
) -> None:
    """The host that is watched would look by itself only when the test is long over."""
    watched, other = (new_host(REDIS_URL=valkey.url, WEB_CONCURRENCY="1", CACHE_FRESH_RUNNING="600") for _ in range(2))
    with EventStream(watched.port, EVENTS, watched.token) as stream:
        stream.until("points")
        training.log(2)
        assert other.get("/runs/run-watched/metric-resource", Cache_Control="no-cache").status == 200
        assert steps(stream.until("points")) == [2]


@pytest.mark.slow
def test_what_another_host_has_fetched_ends_a_long_poll(
    new_host: NewHost, valkey: ValkeyServer, training: Training
) -> None:
    """The host that is asked would look by itself only when the time is long over."""
    asked, other = (new_host(REDIS_URL=valkey.url, WEB_CONCURRENCY="1", CACHE_FRESH_RUNNING="600") for _ in range(2))
    run = "/runs/run-watched/metric-resource"
    tag = asked.get(run).headers["ETag"]
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(asked.get, run, If_None_Match=tag, Prefer="wait=30")
        training.log(2)
        assert other.get(run, Cache_Control="no-cache").status == 200
        assert waiting.result().status == 200


def test_access_that_the_runtime_withdraws_ends_a_stream(
    new_host: NewHost, runtime: ScriptedRuntime, training: Training
) -> None:
    host = new_host(WEB_CONCURRENCY="1", RUNTIME_AUTH="forward", **QUICK)
    with EventStream(host.port, EVENTS, host.token) as stream:
        assert steps(stream.until("points")) == training.steps
        for what in ("metrics", "execution"):
            runtime.say(what, 403, {"error": {"code": "1", "message": "no more"}})
        assert [event.data for event in stream] == [{"reason": "expired"}]


@pytest.mark.slow
def test_streams_go_on_without_the_store(new_host: NewHost, valkey: ValkeyServer, training: Training) -> None:
    host = new_host(REDIS_URL=valkey.url, WEB_CONCURRENCY="1", **QUICK)
    with EventStream(host.port, EVENTS, host.token) as stream:
        got = stream.until("points")
        for begin, end in ((valkey.pause, valkey.resume), (valkey.kill, valkey.start)):
            begin()
            training.log(len(training.steps) + 1)
            got += stream.until("points")
            end()
            training.log(len(training.steps) + 1)
            got += stream.until("points")
    assert [event.kind for event in got] == ["state", *["points"] * 5]
    assert steps(got) == training.steps
