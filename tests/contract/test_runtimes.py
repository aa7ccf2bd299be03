"""What every runtime behind the port ``domain.runtime.AIRuntime`` must do: each adapter on a real server, and the fake."""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, Protocol

import pytest
import requests

from service.app.runtime_client import build_runtime
from service.domain.errors import LogsNotSupported, RunNotFound, RuntimeTimeout, ServiceError
from service.domain.logs import LogLine, LogQuery
from service.domain.metrics import Chunk, MetricResource
from service.domain.runs import Run, RunDetails, RunStatus
from service.domain.runtime import AIRuntime, CacheScope, Capabilities, ResourceGroups, RunMetrics, RuntimeKind
from service.domain.selection.instants import instant
from service.sandbox.app import parts_of
from service.sandbox.server import Options, running
from service.settings import RuntimeSettings
from service.telemetry.prometheus import Telemetry
from testing.waiting import eventually
from tests.servers.issuer_keys import with_keys
from tests.servers.mlflow import MLflowURL
from tests.unit.reads.fakes import FakeRuntime, context, listed

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


MARCH = 1_774_746_000_000
MLFLOWS = {
    RunStatus.PENDING: "SCHEDULED",
    RunStatus.RUNNING: "RUNNING",
    RunStatus.COMPLETED: "FINISHED",
    RunStatus.DEAD: "FAILED",
    RunStatus.STOPPED: "KILLED",
}


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

    @property
    def kind(self) -> RuntimeKind: ...

    @property
    def statuses(self) -> Collection[RunStatus]:
        """Those that a run of this kind can have."""
        ...

    @property
    def keeps_groups_apart(self) -> bool: ...

    @property
    def has_logs(self) -> bool: ...

    def kept(self, points: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """What a runtime of this kind keeps of points that are logged to one run."""
        ...


class Faithful:
    """Of a runtime that has all that the service knows of."""

    kind = RuntimeKind.AI_API
    statuses: Collection[RunStatus] = tuple(RunStatus)
    keeps_groups_apart = True
    has_logs = True

    def kept(self, points: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        return [{"step": None, "labels": [], **point} for point in points]


class FakeWorld(Faithful):
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
        names = tuple(label_names(points))
        resource = MetricResource(run_id, metrics=chunks, count=len(points), label_names=names)
        self.runtime.logged[at] = RunMetrics(resource, run.may_change, status)
        self.runtime.details[at] = RunDetails(run, parameters=b"[]")
        return run_id

    def write(self, cache_scope: CacheScope, run_id: str, messages: Mapping[str, str]) -> None:
        log = self.runtime.lines.setdefault((cache_scope.tenant, cache_scope.resource_group, run_id), [])
        assert log is not None
        for timestamp, message in messages.items():
            line = (timestamp, message, "main", "pod", "stdout")
            log.append(LogLine(*(json.dumps(member).encode() for member in line)))


class AIAPIWorld(Faithful):
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
def ai_api(directory: Path, _: MLflowURL) -> Iterator[World]:
    with running(Options(with_keys(directory))) as app:
        url = parts_of(app).public_url
        settings = RuntimeSettings(
            f"{url}/v2", client_id="sandbox-client", client_secret="sandbox-secret", token_url=f"{url}/oauth/token"
        )
        runtime, close = build_runtime(settings, Telemetry())
        world = AIAPIWorld(runtime, url)
        yield world
        world.close()
        close()


class MLflowWorld:
    """The adapter of MLflow, and a real server, written to by its REST API."""

    kind = RuntimeKind.MLFLOW
    statuses: Collection[RunStatus] = tuple(MLFLOWS)
    has_logs = False

    def __init__(self, runtime: AIRuntime, url: str, *, keeps_groups_apart: bool) -> None:
        self.runtime = runtime
        self.keeps_groups_apart = keeps_groups_apart
        self._session = requests.Session()
        self._url = f"{url}/api/2.0/mlflow"
        self._numbers = count(MARCH)
        self._experiments: dict[CacheScope, str] = {}

    def kept(self, points: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Each once, by time, to the millisecond; a float, a step always, no labels."""
        kept = {(_milliseconds(point), point.get("step", 0), float(point["value"])) for point in points}
        stamps = [datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=at) for at, _, _ in sorted(kept)]
        return [
            {
                "name": points[0]["name"],
                "value": value,
                "timestamp": stamp.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                "step": step,
                "labels": [],
            }
            for stamp, (_, step, value) in zip(stamps, sorted(kept), strict=True)
        ]

    def close(self) -> None:
        self._session.close()

    def add(self, cache_scope: CacheScope, status: str, points: Sequence[Mapping[str, Any]] = ()) -> str:
        began = next(self._numbers)
        experiment = self._experiment(cache_scope)
        run = self._ask(cache_scope, "runs/create", experiment_id=experiment, start_time=began)["run"]["info"]["run_id"]
        for point in points:
            logged = {"key": point["name"], "value": float(point["value"]), "timestamp": _milliseconds(point)}
            self._ask(cache_scope, "runs/log-metric", run_id=run, step=point.get("step", 0), **logged)
        self._ask(cache_scope, "runs/update", run_id=run, status=MLFLOWS[RunStatus(status)])
        return str(run)

    def write(self, cache_scope: CacheScope, run_id: str, messages: Mapping[str, str]) -> None:
        raise NotImplementedError

    def _experiment(self, cache_scope: CacheScope) -> str:
        if cache_scope not in self._experiments:
            made = self._ask(cache_scope, "experiments/create", name=f"contract {uuid.uuid4()}")
            self._experiments[cache_scope] = made["experiment_id"]
        return self._experiments[cache_scope]

    def _ask(self, cache_scope: CacheScope, path: str, **body: Any) -> Any:
        headers = {"X-MLFLOW-WORKSPACE": cache_scope.resource_group} if self.keeps_groups_apart else {}
        answer = self._session.post(f"{self._url}/{path}", json=body, headers=headers, timeout=60)
        assert answer.ok, answer.text
        return answer.json()


def _milliseconds(point: Mapping[str, Any]) -> int:
    since = datetime.fromisoformat(point["timestamp"]) - datetime.fromtimestamp(0, UTC)
    return since // timedelta(milliseconds=1)


@contextmanager
def mlflow(version: str, _: Path, mlflow_url: MLflowURL) -> Iterator[World]:
    url = mlflow_url(version)
    runtime, close = build_runtime(RuntimeSettings(url, RuntimeKind.MLFLOW, timeout=60), Telemetry())
    world = MLflowWorld(runtime, url, keeps_groups_apart=version == "3")
    yield world
    world.close()
    close()


@contextmanager
def fake(_: Path, __: MLflowURL) -> Iterator[World]:
    yield FakeWorld()


MLFLOW_2, MLFLOW_3 = (
    pytest.param(partial(mlflow, version), id=f"mlflow {version}", marks=marks)
    for version, marks in (("2", [pytest.mark.mlflow, pytest.mark.slow]), ("3", [pytest.mark.mlflow]))
)


@pytest.fixture(scope="module", params=[ai_api, fake, MLFLOW_2, MLFLOW_3])
def world(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, mlflow_url: MLflowURL
) -> Iterator[World]:
    with request.param(tmp_path_factory.mktemp("runtime"), mlflow_url) as world:
        yield world


def read(world: World, *run_ids: str, cache_scope: CacheScope = OURS) -> Mapping[str, RunMetrics | ServiceError]:
    return world.runtime.run_metrics(run_ids, context(cache_scope))


def label_names(points: Sequence[Mapping[str, Any]]) -> Iterable[str]:
    return dict.fromkeys(label["name"] for point in points for label in point.get("labels", ()))


def points_of(found: RunMetrics | ServiceError) -> list[dict[str, Any]]:
    assert isinstance(found, RunMetrics)
    points = json.loads(b"[" + b",".join(chunk.text for chunk in found.resource.metrics) + b"]")
    assert len(points) == found.resource.count == sum(chunk.count for chunk in found.resource.metrics)
    return list(points)


def test_points_are_complete_in_the_order_they_were_logged(world: World) -> None:
    logged = [LABELLED, PLAIN, LABELLED]
    run = world.add(OURS, "RUNNING", logged)
    assert points_of(read(world, run)[run]) == world.kept(logged)


def test_label_names_are_known_without_a_look_at_the_points(world: World) -> None:
    """So a table's header can be written before them; a run of no labels is not one that nobody has looked at."""
    for logged in ([], [PLAIN], [PLAIN, LABELLED]):
        run = world.add(OURS, "RUNNING", logged)
        found = read(world, run)[run]
        assert isinstance(found, RunMetrics)
        assert found.resource.label_names == tuple(label_names(world.kept(logged)))


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


def test_a_run_that_has_ended_does_not_change(world: World) -> None:
    """Once it ended some seconds ago: what it logged last may not have been there."""
    runs = {status: world.add(OURS, status) for status in world.statuses}

    def may_change(run: str) -> bool:
        found = read(world, run)[run]
        assert isinstance(found, RunMetrics)
        assert found.status == world.runtime.run(run, context(OURS)).run.status
        return found.may_change

    for status, run in runs.items():
        assert world.runtime.run(run, context(OURS)).run.status == status
    ended = {"COMPLETED", "DEAD", "STOPPED"}
    assert all(may_change(run) for status, run in runs.items() if status not in ended)
    eventually(lambda: not any(may_change(run) for status, run in runs.items() if status in ended))


def test_a_resource_group_hides_its_runs_from_others(world: World) -> None:
    if not world.keeps_groups_apart:
        assert not world.runtime.capabilities(context(OURS)).multitenant
        return
    run = world.add(OURS, "COMPLETED", [PLAIN])
    assert isinstance(read(world, run, cache_scope=THEIRS)[run], RunNotFound)
    with pytest.raises(RunNotFound):
        world.runtime.run(run, context(THEIRS))
    assert run not in {each.run_id for each in listed(world.runtime, context(THEIRS))}
    assert isinstance(read(world, run)[run], RunMetrics)


def test_all_runs_are_listed_each_with_its_time_of_creation(world: World) -> None:
    older, newer = (world.add(OURS, status) for status in ("DEAD", "RUNNING"))
    ours = {run.run_id: run for run in listed(world.runtime, context(OURS)) if run.run_id in {older, newer}}
    assert {run_id: run.status for run_id, run in ours.items()} == {older: "DEAD", newer: "RUNNING"}
    first, second = (instant(ours[run_id].created_at) for run_id in (older, newer))
    assert first is not None
    assert second is not None
    assert first < second


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
    if not world.has_logs:
        pytest.skip("this kind of runtime has no logs")
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
    run = world.add(OURS, status)
    if not world.has_logs:
        with pytest.raises(LogsNotSupported):
            world.runtime.logs(run, LogQuery(), context(OURS))
        return
    log = world.runtime.logs(run, LogQuery(), context(OURS))
    assert (log.count, log.may_change) == (0, may_change)


def test_there_is_no_log_of_a_run_that_is_not_there(world: World, written: str) -> None:
    for run, scope in ((UNKNOWN, OURS), (written, THEIRS)):
        with pytest.raises(RunNotFound):
            world.runtime.logs(run, LogQuery(), context(scope))


def test_resource_groups_are_those_with_runs_at_least(world: World) -> None:
    if not world.keeps_groups_apart:
        assert world.runtime.resource_groups(context(OURS)) == ResourceGroups(())
        return
    world.add(OURS, "COMPLETED")
    world.add(THEIRS, "COMPLETED")
    for scope in (OURS, THEIRS):
        found = world.runtime.resource_groups(context(scope))
        assert found.complete
        assert {"default", "group-b"} <= set(found.ids)


def test_what_it_can_do_is_reported(world: World) -> None:
    found = world.runtime.capabilities(context(OURS))
    assert isinstance(found, Capabilities)
    assert found.metrics
    assert world.runtime.capabilities(context(OURS)) == found


def test_it_says_of_which_kind_it_is(world: World) -> None:
    assert world.runtime.kind == world.kind


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
        *([lambda: world.runtime.resource_groups(over)] if world.keeps_groups_apart else []),
        lambda: world.runtime.capabilities(over),
        lambda: _raised(world.runtime.run_metrics([run], over)[run]),
    ):
        with pytest.raises(RuntimeTimeout):
            ask()


def _raised(found: RunMetrics | ServiceError) -> None:
    if isinstance(found, ServiceError):
        raise found
