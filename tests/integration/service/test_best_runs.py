"""``/runs?metric=…&sort=metric:…``: the best run first, by summaries that are stored."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, quote, urljoin, urlsplit

import pytest

from tests.integration.service.conftest import Service
from tests.rows import each_row

LOSSES: dict[str, list[float | str]] = {
    "run1": [0.5, 0.25],
    "run2": [0.9, 0.125],
    "run3": ["NaN"],
    "run4": [],
    "run5": [0.125, 9007199254740993],
}
BROKEN: set[str] = set()
ACCURACY = {"run1": 0.9, "run2": 0.8}
PRECISION = {"run1": 0.6, "run2": 0.7}


def points(run_id: str) -> list[dict[str, Any]]:
    logged = [("Loss", value, step) for step, value in enumerate(LOSSES[run_id], 1)]
    logged += [("Accuracy, final", ACCURACY[run_id], 7)] if run_id in ACCURACY else []
    return [
        {"name": name, "value": value, "step": step, "timestamp": "2026-03-29T01:00:00Z", "labels": []}
        for name, value, step in logged
    ] + [
        {"name": "mAP[0.5]", "value": PRECISION[run_id], "timestamp": None, "labels": [{"name": "a=b", "value": "val"}]}
        for run_id in {run_id} & {*PRECISION}
    ]


@pytest.fixture
def runs(service: Service) -> Service:
    plain = service.runtime.answer

    def answer(path: str, headers: Any = None) -> tuple[int, bytes, float]:
        parts = urlsplit(path)
        if parts.path.endswith("/lm/metrics"):
            asked = parse_qs(parts.query)["executionIds"][0].split(",")
            service.runtime.asked["metrics"] += 1
            assert len(asked) <= 10
            resources = [{"executionId": run, "metrics": points(run)} for run in asked if run in LOSSES]
            return 200, json.dumps({"resources": resources}).encode(), 0.0
        if parts.path.endswith("/lm/executions"):
            service.runtime.asked["executions"] += 1
            listed = {"count": len(LOSSES), "resources": [execution(run) for run in LOSSES]}
            return 200, json.dumps(listed).encode(), 0.0
        if "/executions/" in parts.path:
            run_id = parts.path.rsplit("/", 1)[1]
            return 400 if run_id in BROKEN else 200, json.dumps(execution(run_id)).encode(), 0.0
        return plain(path, headers)

    service.runtime.answer = answer  # type: ignore[method-assign]
    service.token = service.issuer.mint(roles=["scenario_metric_viewer", "scenario_job_viewer"])
    return service


def execution(run_id: str) -> dict[str, Any]:
    moment = f"2026-03-29T00:0{run_id[-1]}:00Z"
    return {
        "id": run_id,
        "status": "COMPLETED",
        "createdAt": moment,
        "completionTime": moment,
        "configurationName": "c",
        "configurationId": "conf1",
        "scenarioId": "scene1",
        "executableId": "exec1",
    }


def read(service: Service, query: str) -> Any:
    answer = service.get(f"/runs?{query}")
    assert answer.status_code == 200, answer.data
    return json.loads(answer.data, parse_float=str)


def ids(found: Any) -> list[str]:
    return [run["runId"] for run in found["runs"]]


def test_runs_say_what_their_metrics_come_to(runs: Service) -> None:
    found = read(runs, f"metric=Loss:min&metric={quote('Accuracy, final')}:last&metric=Loss:mean")
    assert {run["runId"]: run["metrics"] for run in found["runs"]} == {
        run_id: [
            {"name": "Loss", "aggregate": "min", "value": least, "step": step},
            {"name": "Accuracy, final", "aggregate": "last", "value": accuracy, "step": accuracy and 7},
            {"name": "Loss", "aggregate": "mean", "value": mean, "step": None},
        ]
        for run_id, least, step, accuracy, mean in [
            ("run1", "0.25", 2, "0.9", "0.375"),
            ("run2", "0.125", 2, "0.8", "0.5125"),
            ("run3", None, None, None, None),
            ("run4", None, None, None, None),
            ("run5", "0.125", 1, None, "4503599627370496.6"),
        ]
    }
    assert ids(found) == ["run5", "run4", "run3", "run2", "run1"], "newest first"


def test_the_best_run_is_first_and_runs_without_the_metric_are_last(runs: Service) -> None:
    assert ids(read(runs, "sort=metric:Loss:min")) == ["run5", "run2", "run1", "run4", "run3"]
    assert ids(read(runs, "sort=metric:Loss:min,createdAt")) == ["run2", "run5", "run1", "run3", "run4"]
    assert ids(read(runs, "sort=-metric:Loss:last"))[0] == "run5"
    found = read(runs, f"sort=-metric:{quote('Accuracy, final')}:max,-createdAt&metric=Loss:count")
    assert ids(found)[:2] == ["run1", "run2"]
    assert [run["metrics"][0]["value"] for run in found["runs"][:2]] == [2, 2]


@each_row("metric", ['mAP[0.5]["a=b"=val]', '"mAP[0.5]"["a=b"=val]', '"mAP[0.5]"'])
def test_a_metric_whose_name_has_a_bracket_is_found_with_its_labels(runs: Service, metric: str) -> None:
    found = read(runs, f"metric={quote(metric)}:last&sort=-metric:{quote(metric)}:last")
    assert ids(found)[:2] == ["run2", "run1"]
    assert [run["metrics"][0]["value"] for run in found["runs"][:3]] == ["0.7", "0.6", None]
    assert found["runs"][0]["metrics"][0]["name"] == metric


def test_stored_runs_are_sorted_without_the_runtime(runs: Service) -> None:
    read(runs, "sort=metric:Loss:min")
    runs.runtime.asked.clear()
    read(runs, "sort=-metric:Loss:max&timezone=Asia/Tokyo")
    assert not runs.runtime.asked


def test_pages_of_the_best_runs_are_of_one_snapshot_or_gone(runs: Service) -> None:
    first = read(runs, "sort=metric:Loss:min&metric=Loss:min&limit=2")
    url = urljoin("/runs", first["page"]["next"])
    second = json.loads(runs.get(url).data)
    assert [*ids(first), *ids(second)] == ["run5", "run2", "run1", "run4"]
    LOSSES["run4"].append(0.01)
    try:
        assert runs.get("/runs?metric=Loss:min", Cache_Control="no-cache").status_code == 200
        assert runs.get(url).status_code == 410
    finally:
        LOSSES["run4"].clear()


def test_tables_have_a_column_for_each_metric(runs: Service) -> None:
    table = runs.get("/runs?metric=Loss:min&metric=Loss:last&sort=createdAt&format=csv").data.decode().splitlines()
    assert table[0].endswith("executionScheduleId,Loss:min,Loss:last")
    assert [line.rsplit(",", 2)[1:] for line in table[1:]] == [
        ["0.25", "0.25"],
        ["0.125", "0.125"],
        ["", "NaN"],
        ["", ""],
        ["0.125", "9007199254740993"],
    ]
    lines = runs.get("/runs?metric=Loss:count&format=ndjson").data.splitlines()
    assert [json.loads(line)["metrics"][0]["value"] for line in lines] == [2, None, 1, 2, 2]


def test_runs_whose_metrics_cannot_be_read_are_named(runs: Service) -> None:
    BROKEN.add("run2")
    try:
        found = read(runs, "metric=Loss:min")
        assert [one["code"] for one in found["warnings"]] == ["unread-metrics"]
        for form in ("csv", "ndjson"):
            answer = runs.get(f"/runs?metric=Loss:min&format={form}")
            assert (answer.status_code, answer.headers["X-Missing-Runs"]) == (200, "run2")
            assert answer.headers["Cache-Control"] == "no-store"
    finally:
        BROKEN.clear()
    assert "X-Missing-Runs" not in runs.get("/runs?metric=Loss:min&format=csv", Cache_Control="no-cache").headers


@each_row("query", ["metric=Loss:min", "sort=metric:Loss:min", "sort=createdAt,-metric%3ALoss:min"])
def test_metrics_need_their_scope_as_well(runs: Service, query: str) -> None:
    job_viewer = runs.issuer.mint(roles=["scenario_job_viewer"])
    assert runs.get(f"/runs?{query}").status_code == 200
    refused = runs.get(f"/runs?{query}", job_viewer)
    assert (refused.status_code, json.loads(refused.data)["scope"]) == (403, "scenarios.metrics.read")
    assert runs.get("/runs", job_viewer).status_code == 200


def test_what_is_stored_for_who_has_both_scopes_is_not_given_to_who_has_one(runs: Service) -> None:
    job_viewer = runs.issuer.mint(roles=["scenario_job_viewer"])
    tag = runs.get("/runs?metric=Loss:min").headers["ETag"]
    for _ in range(3):
        assert runs.get("/runs?metric=Loss:min", If_None_Match=tag).status_code == 304
        assert runs.get("/runs?metric=Loss:min", job_viewer, If_None_Match=tag).status_code == 403


@each_row(
    "query, named",
    [
        ("metric=Loss", "metric"),
        ("metric=Loss:median", "metric"),
        ("&".join(["metric=a:min"] * 6), "metric"),
        ("sort=metric:Loss", "sort"),
        ("sort=metric:Loss:min,metric:Loss:min", "sort"),
        ("sort=loss", "sort"),
        ("sort=" + ",".join(f"metric:m{number}:min" for number in range(6)), "sort"),
    ],
)
def test_what_cannot_be_is_named(runs: Service, query: str, named: str) -> None:
    answer = runs.get(f"/runs?{query}")
    assert answer.status_code == 400
    assert {fault["parameter"] for fault in json.loads(answer.data)["errors"]} == {named}


def test_too_many_runs_are_not_sorted_by_their_metrics(runs: Service) -> None:
    for number in range(10, 1010):
        LOSSES[f"run{number}"] = []
    try:
        answer = runs.get("/runs?sort=metric:Loss:min", Cache_Control="no-cache")
        assert answer.status_code == 400
        assert "narrow them" in json.loads(answer.data)["errors"][0]["detail"]
        for query in ("metric=Loss:min", "metric=Loss:min&limit=1001"):
            answer = runs.get(f"/runs?{query}")
            assert answer.status_code == 400
            assert "limit" in json.loads(answer.data)["errors"][0]["detail"]
        assert not runs.runtime.asked["metrics"]
        assert runs.get("/runs?metric=Loss:min&limit=20").status_code == 200
    finally:
        for number in range(10, 1010):
            del LOSSES[f"run{number}"]
