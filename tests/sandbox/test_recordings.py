"""The recorded runs: that they are all there, and that they look like what they claim to be."""

from __future__ import annotations

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

import service.sandbox.recorded as recorded

DIRECTORY = Path(recorded.__file__).with_name("recordings")
LABEL = "metrics.ai.sap.com/Artifact.name"


def points(name: str) -> list[dict[str, Any]]:
    return [point for batch in recorded.batches(name) for point in json.loads(b"[" + batch + b"]")]


@pytest.fixture(scope="module")
def everything() -> dict[str, tuple[recorded.Recording, list[dict[str, Any]]]]:
    return {name: (recorded.read(name), points(name)) for name in recorded.names()}


def test_they_are_small() -> None:
    assert sum(path.stat().st_size for path in DIRECTORY.iterdir()) < 1_000_000


def test_the_kinds_of_runs(everything: Any) -> None:
    statuses = [recording.execution["status"] for recording, _ in everything.values()]
    assert {status: statuses.count(status) for status in set(statuses)} == {
        "COMPLETED": 8,
        "STOPPED": 1,
        "DEAD": 1,
        "RUNNING": 1,
    }
    dead = next(recording.execution for recording, _ in everything.values() if recording.execution["status"] == "DEAD")
    assert "non-finite parameter weights" in dead["statusMessage"]
    assert max(len(logged) for _, logged in everything.values()) >= 10_000
    assert [name for name, (recording, _) in everything.items() if recording.metric_resource is None] == ["wine-silent"]
    assert {recording.resource_group for recording, _ in everything.values()} == {"default", "research"}


def test_runs_to_compare_differ_in_their_parameters(everything: Any) -> None:
    compared = [recording for name, (recording, _) in everything.items() if name.startswith("digits-rate")]
    rates = [
        next(item["value"] for item in recording.configuration["parameterBindings"] if item["key"] == "learning_rate")
        for recording in compared
    ]
    assert sorted(rates) == ["0.001", "0.01", "0.1"]
    assert len({recording.scenario["id"] for recording in compared}) == 1
    assert len({recording.configuration["inputArtifactBindings"][0]["artifactId"] for recording in compared}) == 1


def test_every_run_is_whole(everything: Any) -> None:
    for recording, _ in everything.values():
        execution, configuration = recording.execution, recording.configuration
        assert re.fullmatch(r"[\w.-]{4,64}", execution["id"])
        assert execution["configurationId"] == configuration["id"]
        assert execution["executableId"] == configuration["executableId"] == recording.executable["id"]
        assert execution["scenarioId"] == recording.scenario["id"] == recording.executable["scenarioId"]
        artifacts = {artifact["id"] for artifact in recording.artifacts}
        assert {item["artifactId"] for item in configuration["inputArtifactBindings"]} <= artifacts
        assert {artifact["id"] for artifact in execution["outputArtifacts"]} <= artifacts
        assert configuration["parameterBindings"]
        assert "\n" not in recording.description


def test_ids_are_not_used_twice(everything: Any) -> None:
    ids = [
        id_
        for recording, _ in everything.values()
        for id_ in (
            recording.execution["id"],
            recording.configuration["id"],
            *(artifact["id"] for artifact in recording.artifacts if artifact["kind"] == "model"),
        )
    ]
    assert len(ids) == len(set(ids))


def test_points_were_measured_while_the_run_ran(everything: Any) -> None:
    for recording, logged in everything.values():
        times = [datetime.fromisoformat(point["timestamp"]) for point in logged]
        assert times == sorted(times)
        if times:
            assert datetime.fromisoformat(recording.execution["startTime"]) <= times[0]
            assert times[-1] <= datetime.fromisoformat(recording.execution["modifiedAt"])
        assert all(LABEL in {label["name"] for label in point["labels"]} for point in logged)


def test_a_classifier_was_logged_per_epoch_and_fold(everything: Any) -> None:
    recording, logged = everything["digits-rate-0.01"]
    labels = [{label["name"]: label["value"] for label in point["labels"]} for point in logged]
    for part in ("train", "validation"):
        for name in ("Loss", "Accuracy"):
            chosen = zip(logged, labels, strict=True)
            steps = [p["step"] for p, marks in chosen if p["name"] == name and marks.get("dataset") == part]
            assert steps == list(range(1, 41))
    assert {marks["fold"] for marks in labels if "fold" in marks} == set("12345")
    matrix = json.loads(recording.metric_resource["customInfo"][0]["value"])
    assert {"Actual", "Predicted", "Count"} == set(matrix[0])
    right = sum(row["Count"] for row in matrix if row["Actual"] == row["Predicted"])
    shares = [p["value"] for p, m in zip(logged, labels, strict=True) if m.get("dataset") == "validation"]
    assert right / sum(row["Count"] for row in matrix) == pytest.approx(shares[-1])


def test_a_regressor_is_among_them(everything: Any) -> None:
    _, logged = everything["diabetes-boosting"]
    assert {point["name"] for point in logged} == {"RMSE", "MAE", "R2"}


def test_the_catalogue_and_the_server_agree(api: Any) -> None:
    runs = api.session.get(f"{api.url}/sandbox/runs", timeout=30).json()["runs"]
    assert [run["runId"] for run in runs] == [run.run_id for run in recorded.runs()]
    assert len(runs) == 11
    for run in runs:
        found = api.call("GET", f"/executions/{run['runId']}", headers={"AI-Resource-Group": run["resourceGroup"]})
        assert found.json()["status"] == run["status"]


def test_the_server_gives_every_character_of_a_recording(api: Any) -> None:
    recording = recorded.read("digits-every-batch")
    answer = api.get("/metrics", executionIds=recording.execution["id"]).content
    assert b",".join(recorded.batches("digits-every-batch")) in answer


def test_each_run_has_the_log_that_its_training_wrote(everything: Any) -> None:
    for name, (recording, _) in everything.items():
        lines = recorded.log(name)
        times = [datetime.fromisoformat(line["timestamp"]) for line in lines]
        assert times == sorted(times)
        assert datetime.fromisoformat(recording.execution["startTime"]) <= times[0]
        assert all(set(line) == {"timestamp", "msg", "container", "pod", "stream"} for line in lines)
        assert lines[1]["msg"].startswith("training ")
        assert not any("/tmp" in line["msg"] or "site-packages" in line["msg"] for line in lines)


def test_a_dead_run_left_its_traceback() -> None:
    errors = [line["msg"] for line in recorded.log("diabetes-died") if line["stream"] == "stderr"]
    assert errors[0] == "Traceback (most recent call last):"
    assert "non-finite parameter weights" in errors[-1]
