"""The demo with an MLflow server beside the sandbox: the same trainings, by the same requests."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from testing import mlflow
from testing.waiting import eventually
from tests.servers.demo import Demo, ended

pytestmark = [pytest.mark.mlflow, pytest.mark.slow]
FOREST = "classifier of two classes: accuracy, F1 and ROC AUC as the forest grows"


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    if mlflow.interpreter("3") is None:
        pytest.skip("MLflow 3 is not installed: python -m testing.mlflow")
    with ended(Demo(tmp_path, "--mlflow")) as demo:
        yield demo


def test_the_same_trainings_are_read_from_both(demo: Demo) -> None:
    theirs = {run["description"]: run for run in demo.ready["mlflow"]["runs"]}
    ours = {run["description"]: run for run in demo.ready["runs"] if run["description"] in theirs}
    assert len(ours) >= 10
    assert {name: run["status"] for name, run in theirs.items()} == {name: run["status"] for name, run in ours.items()}

    def get(path: str, connection: str, **headers: str) -> Any:
        answer = demo.get(path, **{"AI-Connection": connection, **headers})
        assert answer.status_code == 200, answer.text
        return answer

    run = theirs[FOREST]["runId"]
    path = f"/runs/{run}/metric-resource"
    sandbox = get(f"/runs/{ours[FOREST]['runId']}/metric-resource", "sandbox").json()["metrics"]
    tracking = get(f"{path}?timezone=Europe/Berlin", "mlflow").json()
    assert tracking["timezone"] == "Europe/Berlin"
    assert len(tracking["metrics"]) == len(sandbox)
    assert sorted(point["value"] for point in tracking["metrics"]) == sorted(point["value"] for point in sandbox)
    listed = {each["runId"]: each for each in get("/runs", "mlflow").json()["runs"]}
    assert listed.keys() == {each["runId"] for each in theirs.values()}
    assert listed[run]["status"] == "COMPLETED"
    assert get(f"{path}/series", "mlflow").json()["series"]
    assert get(f"{path}/chart?name=validation/Accuracy", "mlflow", Accept="image/svg+xml").content.startswith(b"<svg")
    other = next(each["runId"] for each in theirs.values() if each["runId"] != run and each["status"] == "COMPLETED")
    assert len(get(f"/comparisons?run={run}&run={other}", "mlflow").json()["runs"]) == 2
    assert get("/capabilities", "mlflow").json()["runtime"]["kind"] == "mlflow"
    assert [each["name"] for each in get("/connections", "mlflow").json()["connections"]] == ["sandbox", "mlflow"]

    stop(demo)
    stale = demo.get(path, **{"AI-Connection": "mlflow", "Cache-Control": "max-age=0"})
    assert (stale.status_code, len(stale.json()["metrics"])) == (200, len(tracking["metrics"]))
    assert "stale-if-error" in stale.headers["Cache-Status"]
    assert demo.get("/runs", **{"AI-Connection": "sandbox"}).status_code == 200


def stop(demo: Demo) -> None:
    """The MLflow server hangs: its death would end the demo."""
    listed = subprocess.run(["ps", "-eww", "-o", "pid=,pgid=,args="], capture_output=True, text=True, check=True).stdout
    port = demo.ready["mlflow"]["url"].rpartition(":")[2]
    groups = {int(line.split()[1]) for line in listed.splitlines() if "mlflow" in line and f"--port {port}" in line}
    assert groups
    for group in groups:
        os.killpg(group, signal.SIGSTOP)
    eventually(lambda: all("T" in state_of(group) for group in groups))


def state_of(process: int) -> str:
    return subprocess.run(["ps", "-o", "stat=", "-p", str(process)], capture_output=True, text=True, check=False).stdout
