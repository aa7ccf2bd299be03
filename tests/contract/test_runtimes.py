"""What every runtime behind the port ``domain.runtime.AIRuntime`` must do: each adapter on a real server, and the fake."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, Protocol

import pytest
import requests

from service.app.runtime import build_runtime
from service.domain.errors import RunNotFound, RuntimeTimeout, ServiceError
from service.domain.logs import LogLine, LogQuery
from service.domain.metrics import Chunk, MetricResource
from service.domain.runs import Run, RunDetails, RunStatus
from service.domain.runtime import AIRuntime, CacheScope, Capabilities, RunMetrics
from service.sandbox.app import parts_of
from service.sandbox.server import Options, running
from service.settings import RuntimeSettings
from service.telemetry.metrics import Telemetry
from tests.unit.reads.fakes import FakeRuntime, context

OURS, THEIRS = CacheScope("tenant", "default"), CacheScope("tenant", "group-b")
UNKNOWN = "run-of-nobody"
LABELLED = {
    "name": "Loss",
    "value": 0.1,
    "timestamp": "2026-03-29T01:00:00.123456Z",
    "step": 1,
    "labels": [{"name": "part", "value": "train"}],
}
PLAIN = {"name": "Loss", "value": 12345678901234567890, "timestamp": "2026-03-29T01:00:01Z"}


class World(Protocol):
    """A runtime of one kind, and the means to fill it."""

    @property
    def runtime(self) -> AIRuntime: ...

    def add(self, cache_scope: CacheScope, status: str, points: Sequence[Mapping[str, Any]] = ()) -> str:
        """A new run of that status that has logged ``points``; its id. A later one is newer."""
        ...

    def write(self, cache_scope: CacheScope, run_id: str, messages: Mapping[str, str]) -> None:
        """Append to a run's log a line for each timestamp."""
        ...


class FakeWorld:
    def __init__(self) -> None:
        self.runtime = FakeRuntime()
        self._numbers = count()

    def add(self, cache_scope: CacheScope, status: str, points: Sequence[Mapping[str, Any]] = ()) -> str:
        number = next(self._numbers)
        run_id = f"run-{number:04}"
        run = Run(run_id, status, created_at=f'"2026-03-29T01:{number // 60:02}:{number % 60:02}Z"'.encode())
        text = ",".join(json.dumps({"step": None, "labels": [], **point}) for point in points).encode()
        chunks = (Chunk(text, len(points)),) if points else ()
        at = (cache_scope.tenant, cache_scope.resource_group, run_id)
        resource = MetricResource(run_id, metrics=chunks, count=len(points))
        self.runtime.logged[at] = RunMetrics(resource, run.may_change)
        self.runtime.details[at] = RunDetails(run, parameters=b"[]")
        return run_id

    def write(self, cache_scope: CacheScope, run_id: str, messages: Mapping[str, str]) -> None:
        log = self.runtime.lines.setdefault((cache_scope.tenant, cache_scope.resource_group, run_id), [])
        assert log is not None
        for timestamp, message in messages.items():
            line = (timestamp, message, "main", "pod", "stdout")
            log.append(LogLine(*(json.dumps(member).encode() for member in line)))


class AIAPIWorld:
    """The adapter of the AI API, and the sandbox over HTTP."""

    def __init__(self, runtime: AIRuntime, url: str) -> None:
        self.runtime = runtime
        self._url = url
        form = {"grant_type": "client_credentials", "client_id": "sandbox-client", "client_secret": "sandbox-secret"}
        self._session = requests.Session()
        token = self._session.post(f"{url}/oauth/token", data=form, timeout=30).json()["access_token"]
        self._session.headers["Authorization"] = f"Bearer {token}"

    def close(self) -> None:
        self._session.close()

    def add(self, cache_scope: CacheScope, status: str, points: Sequence[Mapping[str, Any]] = ()) -> str:
        executable = {"executableId": "digits-network", "scenarioId": "digit-recognition"}
        configuration = self._ask(cache_scope, "POST", "/v2/lm/configurations", {"name": "c", **executable})["id"]
        run_id = self._ask(cache_scope, "POST", "/v2/lm/executions", {"configurationId": configuration})["id"]
        if points:
            self._ask(cache_scope, "PATCH", "/v2/lm/metrics", {"executionId": run_id, "metrics": list(points)})
        moved = {"status": status, "resourceGroup": cache_scope.resource_group}
        self._ask(cache_scope, "PUT", f"/sandbox/executions/{run_id}/status", moved)
        return str(run_id)

    def write(self, cache_scope: CacheScope, run_id: str, messages: Mapping[str, str]) -> None:
        same = {"container": "main", "pod": "pod", "stream": "stdout"}
        lines = [{"timestamp": timestamp, "msg": message, **same} for timestamp, message in messages.items()]
        body = {"lines": lines, "resourceGroup": cache_scope.resource_group}
        self._ask(cache_scope, "POST", f"/sandbox/executions/{run_id}/logs", body)

    def _ask(self, cache_scope: CacheScope, method: str, path: str, body: Mapping[str, Any]) -> Any:
        headers = {"AI-Resource-Group": cache_scope.resource_group}
        answer = self._session.request(method, self._url + path, json=body, headers=headers, timeout=30)
        assert answer.ok, answer.text
        return answer.json() if answer.content else None


@contextmanager
def ai_api(directory: Path) -> Iterator[World]:
    with running(Options(directory)) as app:
        url = parts_of(app).public_url
        settings = RuntimeSettings(
            f"{url}/v2", client_id="sandbox-client", client_secret="sandbox-secret", token_url=f"{url}/oauth/token"
        )
        runtime, close = build_runtime(settings, Telemetry())
        world = AIAPIWorld(runtime, url)
        yield world
        world.close()
        close()


@contextmanager
def fake(_: Path) -> Iterator[World]:
    yield FakeWorld()


@pytest.fixture(scope="module", params=[ai_api, fake])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with request.param(tmp_path_factory.mktemp("runtime")) as world:
        yield world


def read(world: World, *run_ids: str, cache_scope: CacheScope = OURS) -> Mapping[str, RunMetrics | ServiceError]:
    return world.runtime.run_metrics(run_ids, context(cache_scope))


def points_of(found: RunMetrics | ServiceError) -> list[dict[str, Any]]:
    assert isinstance(found, RunMetrics)
    points = json.loads(b"[" + b",".join(chunk.text for chunk in found.resource.metrics) + b"]")
    assert len(points) == found.resource.count == sum(chunk.count for chunk in found.resource.metrics)
    return list(points)


def test_points_are_complete_in_the_order_they_were_logged(world: World) -> None:
    run = world.add(OURS, "RUNNING", [LABELLED, PLAIN, LABELLED])
    assert points_of(read(world, run)[run]) == [LABELLED, {**PLAIN, "step": None, "labels": []}, LABELLED]


def test_a_point_has_exactly_the_five_members(world: World) -> None:
    run = world.add(OURS, "RUNNING", [PLAIN, LABELLED])
    assert [set(point) for point in points_of(read(world, run)[run])] == [set(LABELLED)] * 2


def test_runs_are_read_together_each_with_its_own(world: World) -> None:
    one, other, silent = (world.add(OURS, "COMPLETED", points) for points in ([LABELLED], [PLAIN], []))
    found = read(world, one, UNKNOWN, other, silent)
    assert list(found) == [one, UNKNOWN, other, silent]
    assert [len(points_of(found[run])) for run in (one, other, silent)] == [1, 1, 0]
    assert points_of(found[one])[0]["value"] == 0.1
    unknown = found[UNKNOWN]
    assert isinstance(unknown, RunNotFound)
    assert UNKNOWN in unknown.detail


@pytest.mark.parametrize("status", RunStatus)
def test_a_run_that_has_ended_does_not_change(world: World, status: RunStatus) -> None:
    run = world.add(OURS, status)
    found = read(world, run)[run]
    assert isinstance(found, RunMetrics)
    assert found.may_change is (status not in {"COMPLETED", "DEAD", "STOPPED"})
    assert world.runtime.run(run, context(OURS)).run.status == status


def test_a_resource_group_hides_its_runs_from_others(world: World) -> None:
    run = world.add(OURS, "COMPLETED", [PLAIN])
    assert isinstance(read(world, run, cache_scope=THEIRS)[run], RunNotFound)
    with pytest.raises(RunNotFound):
        world.runtime.run(run, context(THEIRS))
    assert run not in {each.run_id for each in world.runtime.runs(context(THEIRS)).runs}
    assert isinstance(read(world, run)[run], RunMetrics)


def test_runs_are_listed_newest_first(world: World) -> None:
    older, newer = (world.add(OURS, status) for status in ("DEAD", "RUNNING"))
    listed = world.runtime.runs(context(OURS)).runs
    assert [(run.run_id, run.status) for run in listed[:2]] == [(newer, "RUNNING"), (older, "DEAD")]


def test_details_are_of_the_run_asked_for(world: World) -> None:
    run = world.add(OURS, "COMPLETED")
    details = world.runtime.run(run, context(OURS))
    assert (details.run.run_id, details.unavailable, json.loads(details.parameters)) == (run, (), [])
    with pytest.raises(RunNotFound):
        world.runtime.run(UNKNOWN, context(OURS))


SAID = {f"2099-03-29T01:00:0{second}.5Z": f"Epoch {second}" for second in range(5)}
"""Later than any run of the tests begins."""


def messages(world: World, run_id: str, query: LogQuery) -> list[str]:
    log = world.runtime.logs(run_id, query, context(OURS))
    lines = json.loads(b"[" + log.text + b"]")
    assert len(lines) == log.count
    assert log.complete
    return [line["message"] for line in lines]


@pytest.fixture(scope="module")
def written(world: World) -> str:
    run = world.add(OURS, "RUNNING")
    world.write(OURS, run, SAID)
    return run


@pytest.mark.parametrize(
    ("query", "epochs"),
    [
        (LogQuery(), (4, 3, 2, 1, 0)),
        (LogQuery(newest_first=False), (0, 1, 2, 3, 4)),
        (LogQuery(limit=2), (4, 3)),
        (LogQuery(limit=2, newest_first=False), (0, 1)),
        (LogQuery(since=b"2099-03-29T01:00:01.5", until=b"2099-03-29T01:00:03.5"), (3, 2, 1)),
        (LogQuery(until=b"2099-03-29T01:00:03.4", limit=1), (2,)),
        (LogQuery(search="EPOCH 3"), (3,)),
        (LogQuery(search="no such line"), ()),
    ],
)
def test_a_log_is_read_in_part(world: World, written: str, query: LogQuery, epochs: tuple[int, ...]) -> None:
    assert messages(world, written, query) == [f"Epoch {epoch}" for epoch in epochs]


def test_a_line_has_exactly_the_five_members(world: World, written: str) -> None:
    (line,) = json.loads(b"[" + world.runtime.logs(written, LogQuery(limit=1), context(OURS)).text + b"]")
    members = {"message": "Epoch 4", "container": "main", "pod": "pod", "stream": "stdout"}
    assert line == {"timestamp": "2099-03-29T01:00:04.5Z", **members}


@pytest.mark.parametrize(("status", "may_change"), [("RUNNING", True), ("DEAD", False)])
def test_a_log_says_whether_it_may_grow(world: World, status: str, may_change: bool) -> None:
    log = world.runtime.logs(world.add(OURS, status), LogQuery(), context(OURS))
    assert (log.count, log.may_change) == (0, may_change)


def test_there_is_no_log_of_a_run_that_is_not_there(world: World, written: str) -> None:
    for run, scope in ((UNKNOWN, OURS), (written, THEIRS)):
        with pytest.raises(RunNotFound):
            world.runtime.logs(run, LogQuery(), context(scope))


def test_resource_groups_are_those_with_runs_at_least(world: World) -> None:
    world.add(OURS, "COMPLETED")
    world.add(THEIRS, "COMPLETED")
    found = world.runtime.resource_groups(context(OURS))
    assert found.complete
    assert {"default", "group-b"} <= set(found.ids)


def test_what_it_can_do_is_told(world: World) -> None:
    found = world.runtime.capabilities(context(OURS))
    assert isinstance(found, Capabilities)
    assert found.metrics
    assert world.runtime.capabilities(context(OURS)) == found


def test_its_identity_stays_the_same(world: World) -> None:
    assert world.runtime.identity
    assert world.runtime.identity == world.runtime.identity


def test_nothing_goes_on_beyond_the_deadline(world: World) -> None:
    run = world.add(OURS, "COMPLETED")
    over = context(OURS, seconds=0)
    for ask in (
        lambda: world.runtime.run(run, over),
        lambda: world.runtime.runs(over),
        lambda: world.runtime.logs(run, LogQuery(), over),
        lambda: world.runtime.resource_groups(over),
        lambda: world.runtime.capabilities(over),
        lambda: _raised(world.runtime.run_metrics([run], over)[run]),
    ):
        with pytest.raises(RuntimeTimeout):
            ask()


def _raised(found: RunMetrics | ServiceError) -> None:
    if isinstance(found, ServiceError):
        raise found
