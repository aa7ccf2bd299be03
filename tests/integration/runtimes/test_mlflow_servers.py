"""What real MLflow servers, 2.x and 3.x, keep and give of odd points, keys and runs."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
import requests
from msgspec.structs import replace

from service.app.runtime_client import build_runtime
from service.domain.errors import RunNotFound, ServiceError
from service.domain.metrics import Unreadable
from service.domain.runtime import AIRuntime, CacheScope, RunMetrics, RuntimeKind
from service.settings import RuntimeSettings
from service.telemetry.prometheus import Telemetry
from tests.servers.mlflow import MLflowURL
from tests.servers.scripted_mlflow import MARCH
from tests.unit.reads.fakes import context, listed

pytestmark = pytest.mark.mlflow
OURS = CacheScope("t", "default")


class Server:
    """A real server, its REST API and the adapter in front of it."""

    def __init__(self, url: str, runtime: AIRuntime, telemetry: Telemetry) -> None:
        self.runtime = runtime
        self._telemetry = telemetry
        self._url = url
        self._session = requests.Session()

    def close(self) -> None:
        self._session.close()

    def exchanges(self, operation: str) -> float:
        """How many good answers the adapter has had."""
        labels = {"connection": "", "operation": operation, "outcome": "200"}
        return self._telemetry.registry.get_sample_value("metric_resource_upstream_exchanges_total", labels) or 0.0

    def post(self, path: str, **body: Any) -> Any:
        return self.post_text(path, json.dumps(body))

    def post_text(self, path: str, body: str) -> Any:
        headers = {"Content-Type": "application/json"}
        answer = self._session.post(f"{self._url}/api/2.0/mlflow/{path}", data=body, headers=headers, timeout=60)
        assert answer.ok, answer.text
        return answer.json()

    def run(self, experiment: str = "0", **info: Any) -> str:
        made = self.post("runs/create", experiment_id=experiment, start_time=MARCH, **info)
        return str(made["run"]["info"]["run_id"])

    def log(self, run: str, key: str, value: object, timestamp: int = MARCH, step: int = 0) -> None:
        self.post("runs/log-metric", run_id=run, key=key, value=value, timestamp=timestamp, step=step)

    def read(self, run: str) -> RunMetrics:
        found = self.runtime.run_metrics([run], context(OURS))[run]
        if isinstance(found, ServiceError):
            raise found
        return found

    def points(self, run: str) -> list[dict[str, Any]]:
        chunks = self.read(run).resource.metrics
        return list(json.loads(b"[" + b",".join(chunk.text for chunk in chunks) + b"]"))


@pytest.fixture(scope="module", params=[pytest.param("2", marks=pytest.mark.slow), "3"])
def server(request: pytest.FixtureRequest, mlflow_url: MLflowURL) -> Iterator[Server]:
    url = mlflow_url(request.param)
    telemetry = Telemetry()
    runtime, close = build_runtime(RuntimeSettings(url, RuntimeKind.MLFLOW, timeout=60), telemetry)
    server = Server(url, runtime, telemetry)
    yield server
    server.close()
    close()


def test_a_history_is_the_same_by_both_ways(server: Server) -> None:
    """``get-history-bulk`` gives what ``get-history`` does, digit for digit and in its order."""
    run = server.run()
    for at, (value, step) in enumerate([("NaN", -3), ("Infinity", 24_999), (1e22, 2), (1, 3), (0.1, 3), (5e-324, 0)]):
        server.log(run, "val/loss", value, MARCH - at // 2, step)
    server.read(run)  # whoever comes first finds out whether there is the shorter way
    before = server.exchanges("history"), server.exchanges("history-bulk")
    by_bulk = server.read(run).resource
    assert (server.exchanges("history"), server.exchanges("history-bulk")) == (before[0], before[1] + 1)
    of_another_server = msgspec.structs.replace(server.runtime.capabilities(context(OURS)), api_version=None)
    by_history = server.runtime.run_metrics([run], replace(context(OURS), known=of_another_server))[run]
    assert server.exchanges("history") == before[0] + 1
    assert isinstance(by_history, RunMetrics)
    assert by_bulk == by_history.resource


def test_odd_values_and_steps(server: Server) -> None:
    run = server.run()
    for at, (value, step) in enumerate([("NaN", -3), ("Infinity", 2**63 - 1), ("-Infinity", 1), (1e22, 2), (1, 3)]):
        server.log(run, "loss", value, MARCH + at, step)
    assert [(point["value"], point["step"]) for point in server.points(run)] == [
        ("NaN", -3),
        (1.7976931348623157e308, 2**63 - 1),
        (-1.7976931348623157e308, 1),
        (1e22, 2),
        (1.0, 3),
    ]


def test_odd_instants_are_warned_of(server: Server) -> None:
    run = server.run()
    for at in (0, 1, MARCH, 253_402_300_800_000, 2**63 - 1):
        server.log(run, "loss", 0.5, at)
    assert [point["timestamp"] for point in server.points(run)] == [
        "1970-01-01T00:00:00.000Z",
        "1970-01-01T00:00:00.001Z",
        "2026-03-29T01:00:00.000Z",
        None,
        None,
    ]
    assert server.read(run).resource.unreadable == Unreadable(timestamps=2, at_epoch=1)


def test_a_write_that_mlflow_cannot_read_is_a_point_of_1970(server: Server) -> None:
    run = server.run()
    server.post_text("runs/log-metric", f'{{"run_id":"{run}","key":"loss","value":NaN,"timestamp":{MARCH},"step":5}}')
    points = server.points(run)
    assert [(point["value"], point["step"]) for point in points] in ([(0.0, 0)], [("NaN", 5)])
    assert server.read(run).resource.unreadable.at_epoch == (points[0]["value"] == 0.0)


def test_keys_with_anything_that_mlflow_takes(server: Server) -> None:
    run = server.run()
    keys = ["train/loss", "a b", "größe ✓".replace(" ✓", ""), "损失", "x.y-z_0", "val/loss: epoch"]
    taken = []
    for key in keys:
        try:
            server.log(run, key, 1.0)
        except AssertionError:  # a colon only since 2.something
            continue
        taken.append(key)
    assert len(taken) >= 5
    assert sorted(point["name"] for point in server.points(run)) == sorted(taken)


def test_a_long_history_is_whole(server: Server) -> None:
    run = server.run()
    for first in range(0, 3000, 1000):
        batch = [
            {"key": "loss", "value": 0.5, "timestamp": MARCH + at, "step": at} for at in range(first, first + 1000)
        ]
        server.post("runs/log-batch", run_id=run, metrics=batch)
    assert [point["step"] for point in server.points(run)] == list(range(3000))


def test_a_deleted_run_is_gone_until_it_is_restored(server: Server) -> None:
    run = server.run()
    server.post("runs/delete", run_id=run)
    with pytest.raises(RunNotFound):
        server.runtime.run(run, context(OURS))
    assert run not in {each.run_id for each in listed(server.runtime, context(OURS))}
    server.post("runs/restore", run_id=run)
    assert server.runtime.run(run, context(OURS)).run.run_id == run


def test_a_run_of_a_deleted_experiment_is_gone_until_that_is_restored(server: Server) -> None:
    experiment = server.post("experiments/create", name=uuid.uuid4().hex)["experiment_id"]
    run = server.run(experiment)
    server.post("experiments/delete", experiment_id=experiment)
    with pytest.raises(RunNotFound):
        server.read(run)
    assert run not in {each.run_id for each in listed(server.runtime, context(OURS))}
    server.post("experiments/restore", experiment_id=experiment)
    assert server.read(run).resource.run_id == run


def test_what_is_logged_twice_is_kept_once_and_two_values_of_a_step_both(server: Server) -> None:
    run = server.run()
    for value in (0.5, 0.25, 0.5):
        server.log(run, "loss", value, step=1)
    assert [(point["value"], point["step"]) for point in server.points(run)] == [(0.25, 1), (0.5, 1)]


@pytest.mark.parametrize("unknown", ["0" * 32, "never.a.run", "größe"])
def test_a_run_that_never_was(server: Server, unknown: str) -> None:
    assert isinstance(server.runtime.run_metrics([unknown], context(OURS))[unknown], RunNotFound)


def test_parameters_tags_and_the_experiment(server: Server) -> None:
    run = server.run(run_name="über", tags=[{"key": "mlflow.source.name", "value": "train.py"}])
    server.post("runs/log-parameter", run_id=run, key="rate", value="0.1")
    details = server.runtime.run(run, context(OURS))
    assert details.unavailable == ()
    assert json.loads(details.parameters) == [{"key": "rate", "value": "0.1"}]
    assert json.loads(details.scenario) == {"id": "0", "name": "Default"}
    assert json.loads(details.executable)["id"] == "train.py"
    assert {"name": "mlflow.runName", "value": "über"} in json.loads(server.read(run).resource.tags)
