"""``/runs`` and ``/runs/{runId}``: what there is, in as few questions as can be, and the rest where a part is missing."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import urljoin

import pytest

from service.runtimes.ai_api.run_mapping import MOST_PARTS
from testing.threads import together
from tests.integration.service.conftest import Service, Surroundings
from tests.rows import each_row
from tests.servers.scripted_runtime import META, scripted_runtime

RUN = "/runs/run1"
EXECUTION = {
    "id": "run1",
    "configurationId": "conf1",
    "configurationName": "a configuration",
    "status": "COMPLETED",
    "targetStatus": "COMPLETED",
    "statusMessage": "done \ud83d",
    "statusDetails": {"workflow": [1.10, "x"]},
    "scenarioId": "scene1",
    "executableId": "exec1",
    "createdAt": "2026-03-29T00:59:59.100+00:00",
    "modifiedAt": "2026-03-29T01:00:00Z",
    "submissionTime": "yesterday",
    "outputArtifacts": [{"id": "out1", "name": "model", "kind": "model", "url": "s3://x", "more": 1}],
}
CONFIGURATION = {
    "id": "conf1",
    "name": "a configuration",
    "scenarioId": "scene1",
    "executableId": "exec1",
    "parameterBindings": [{"key": "rate", "value": "0.10"}],
    "inputArtifactBindings": [{"key": "data", "artifactId": "art1"}],
}


@pytest.fixture
def described(service: Service) -> Service:
    return describe(service)


def describe(service: Service) -> Service:
    """Have the runtime know one run and all that surrounds it."""
    runtime = service.runtime
    runtime.say("execution", 200, EXECUTION)
    runtime.say("configurations/conf1", 200, CONFIGURATION)
    runtime.say("artifacts/art1", 200, {"id": "art1", "name": "digits", "kind": "dataset", "url": "s3://y"})
    runtime.say("scenarios/scene1", 200, {"id": "scene1", "name": "digits", "description": "…"})
    runtime.say("executables/exec1", 200, {"id": "exec1", "name": "a network"})
    service.token = service.issuer.mint(roles=["scenario_job_viewer"])
    return service


def test_a_run_is_given_with_all_that_surrounds_it(described: Service) -> None:
    answer = described.get(f"{RUN}?timezone=Europe/Berlin")
    assert answer.status_code == 200
    assert json.loads(answer.data) == {
        "runId": "run1",
        "status": "COMPLETED",
        "targetStatus": "COMPLETED",
        "statusMessage": "done \ud83d",
        "scenarioId": "scene1",
        "executableId": "exec1",
        "configurationId": "conf1",
        "configurationName": "a configuration",
        "createdAt": "2026-03-29T01:59:59.100+01:00",
        "modifiedAt": "2026-03-29T03:00:00+02:00",
        "submissionTime": None,
        "startTime": None,
        "completionTime": None,
        "durationSeconds": None,
        "executionScheduleId": None,
        "timezone": "Europe/Berlin",
        "parameters": [{"key": "rate", "value": "0.10"}],
        "inputArtifacts": [{"key": "data", "id": "art1", "name": "digits", "kind": "dataset", "url": "s3://y"}],
        "outputArtifacts": [{"key": "model", "id": "out1", "name": "model", "kind": "model", "url": "s3://x"}],
        "scenario": {"id": "scene1", "name": "digits"},
        "executable": {"id": "exec1", "name": "a network", "versionId": None},
        "statusDetails": {"workflow": [1.10, "x"]},
        "metricResource": {"available": True, "href": "../runs/run1/metric-resource"},
        "logs": {"available": True, "href": "../runs/run1/logs"},
        "warnings": [
            {
                "code": "unreadable-timestamp",
                "count": 1,
                "detail": "1 of the runtime's timestamps cannot be read or are missing: they are given as null",
            }
        ],
    }
    assert b'"workflow":[1.1' in answer.data.replace(b" ", b"")


def test_it_takes_one_question_each_and_none_the_second_time(described: Service) -> None:
    for _ in range(3):
        assert described.get(RUN).status_code == 200
    asked = {what: count for what, count in described.runtime.asked.items() if what != "meta"}
    assert asked == dict.fromkeys(
        ["execution", "configurations/conf1", "artifacts/art1", "scenarios/scene1", "executables/exec1"], 1
    )


def test_a_refresh_tells_whether_there_is_a_metric_resource_now(described: Service) -> None:
    assert described.get(RUN).json["metricResource"]["available"] is True
    described.runtime.say("meta", 200, {**META, "extensions": {}})
    assert described.get(RUN, Cache_Control="no-cache").json["metricResource"]["available"] is False


@pytest.mark.parametrize(
    ("what", "missing"),
    [
        ("configurations/conf1", {"parameters", "inputArtifacts"}),
        ("scenarios/scene1", {"scenario"}),
        ("executables/exec1", {"executable"}),
    ],
)
@pytest.mark.parametrize("how", [(404, {"error": {}}), (500, {}), (200, b"<html>"), (200, [])])
def test_a_part_that_cannot_be_read_is_named_and_the_rest_is_given(
    described: Service, what: str, missing: set[str], how: tuple[int, Any]
) -> None:
    described.runtime.say(what, *how)
    found = json.loads(described.get(RUN).data)
    assert {name for name, value in found.items() if value is None} - {
        "submissionTime",
        "startTime",
        "completionTime",
        "durationSeconds",
        "executionScheduleId",
    } == missing
    assert set(found["unavailable"]) == missing
    assert found["status"] == "COMPLETED"


def test_a_part_that_comes_too_late_is_named_and_the_rest_is_given(surroundings: Surroundings) -> None:
    parts = {
        "configurations/conf1": "parameters",
        "artifacts/art1": "inputArtifacts",
        "scenarios/scene1": "scenario",
    }

    def named(what: str) -> bool:
        with scripted_runtime() as runtime, replace(surroundings, runtime=runtime).service(timeout=4.0) as service:
            describe(service).runtime.say(what, 200, {}, wait=30.0)
            answer = service.get(RUN)
        return answer.status_code == 200 and parts[what] in json.loads(answer.data)["unavailable"]

    assert together(*[partial(named, what) for what in parts]) == [True] * len(parts)


def test_a_time_of_the_year_zero_is_given_as_it_is(described: Service) -> None:
    described.runtime.say("execution", 200, {**EXECUTION, "startTime": "0000-01-01T00:00:00Z"})
    for zone in ("UTC", "Asia/Tokyo", "-05:00"):
        found = json.loads(described.get(f"/runs/run1?timezone={zone}").data)
        assert found["startTime"] == "0000-01-01T00:00:00Z"


def test_an_artifact_that_cannot_be_read_keeps_its_key_and_id(described: Service) -> None:
    described.runtime.say("artifacts/art1", 500, {})
    found = json.loads(described.get(RUN).data)
    assert found["inputArtifacts"] == [{"key": "data", "id": "art1", "name": None, "kind": None, "url": None}]
    assert found["unavailable"] == ["inputArtifacts"]


def test_where_only_the_configuration_names_the_scenario_it_is_found_there(described: Service) -> None:
    described.runtime.say(
        "execution", 200, {k: v for k, v in EXECUTION.items() if k not in {"scenarioId", "executableId"}}
    )
    found = json.loads(described.get(RUN).data)
    assert (found["scenario"]["name"], found["executable"]["name"]) == ("digits", "a network")
    assert "unavailable" not in found


@each_row("part", ["parameters", "inputArtifacts", "outputArtifacts"])
def test_of_far_too_many_parts_the_first_are_given(described: Service, part: str) -> None:
    count = MOST_PARTS + 1
    bindings = {
        "parameters": {"parameterBindings": [{"key": f"k{number}", "value": "v"} for number in range(count)]},
        "inputArtifacts": {
            "inputArtifactBindings": [{"key": f"k{number}", "artifactId": "art1"} for number in range(count)]
        },
        "outputArtifacts": {},
    }
    outputs = [{"id": "out1", "name": f"k{number}"} for number in range(count if part == "outputArtifacts" else 1)]
    described.runtime.say("execution", 200, {**EXECUTION, "outputArtifacts": outputs})
    described.runtime.say("configurations/conf1", 200, {**CONFIGURATION, **bindings[part]})
    found = json.loads(described.get(RUN, Cache_Control="no-cache").data)
    assert found["unavailable"] == [part]
    assert [one["key"] for one in found[part]] == [f"k{number}" for number in range(MOST_PARTS)]


@each_row("id_", ["../secrets", "a/b", "..", "", "x" * 300, "a?b", "a%2fb"])
def test_ids_that_the_runtime_names_are_checked_before_they_are_asked_for(described: Service, id_: str) -> None:
    described.runtime.say("execution", 200, {**EXECUTION, "configurationId": id_})
    found = json.loads(described.get(RUN, Cache_Control="no-cache").data)
    assert set(found["unavailable"]) == {"parameters", "inputArtifacts"}
    assert not [what for what in described.runtime.asked if what.startswith(("conf", "secrets"))]


@pytest.mark.parametrize(
    ("how", "status", "slug"),
    [
        ((404, {"error": {}}), 404, "run-not-found"),
        ((404, b"<html>"), 502, "bad-gateway"),
        ((200, {**EXECUTION, "id": "another"}), 502, "bad-gateway"),
        ((200, {**EXECUTION, "statusMessage": 1}), 502, "bad-gateway"),
        ((200, {"id": "run1"}), 502, "bad-gateway"),
    ],
)
def test_without_the_execution_there_is_no_answer(
    described: Service, how: tuple[int, Any], status: int, slug: str
) -> None:
    described.runtime.say("execution", *how)
    answer = described.get(RUN)
    assert (answer.status_code, json.loads(answer.data)["type"]) == (status, f"urn:metric-resource:{slug}")


@pytest.mark.parametrize("path", [RUN, "/runs"])
def test_both_need_their_own_scope(described: Service, path: str) -> None:
    answer = described.get(path, described.issuer.mint(roles=["scenario_metric_viewer"]))
    assert (answer.status_code, json.loads(answer.data)["scope"]) == (403, "scenarios.executions.read")
    assert not described.runtime.asked["execution"]


def executions(count: int) -> list[dict[str, Any]]:
    return [
        {
            "id": f"run-{n:03d}",
            "configurationId": f"conf{n % 2}",
            "scenarioId": f"scene{n % 3}",
            "executableId": "exec",
            "status": ["COMPLETED", "RUNNING", "DEAD"][n % 3],
            "createdAt": f"2026-03-{1 + n % 28:02d}T01:00:00Z" if n else None,
        }
        for n in range(count)
    ]


def listed(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.data
    return [run["runId"] for run in json.loads(answer.data)["runs"]]


@pytest.fixture
def many(described: Service) -> Service:
    described.runtime.say("executions", 200, {"count": 25, "resources": executions(25)})
    return described


def test_runs_come_newest_first_and_those_without_a_date_last(many: Service) -> None:
    answer = many.get("/runs")
    assert listed(answer) == [f"run-{n:03d}" for n in range(24, -1, -1)]
    found = json.loads(answer.data)
    assert (found["count"], found["timezone"], "page" in found) == (25, "UTC", False)
    assert "Link" not in answer.headers


@each_row(
    "query, which",
    [
        ("status=RUNNING", lambda n: n % 3 == 1),
        ("status=RUNNING,DEAD", lambda n: n % 3),
        ("status=RUNNING&status=COMPLETED", lambda n: n % 3 < 2),
        ("scenarioId=scene2&configurationId=conf1", lambda n: n % 3 == 2 and n % 2),
        ("executableId=another", lambda n: False),
    ],
)
def test_runs_are_chosen_by_what_is_asked(many: Service, query: str, which: Any) -> None:
    answer = many.get(f"/runs?{query}")
    assert listed(answer) == [f"run-{n:03d}" for n in range(24, -1, -1) if which(n)]
    assert json.loads(answer.data)["count"] == len(listed(answer))
    assert many.runtime.asked["executions"] == 1


def pages(service: Service, first: str) -> list[list[str]]:
    found, following = [], first
    while following:
        answer = service.get(following)
        found.append(listed(answer))
        next_ = json.loads(answer.data)["page"]["next"]
        assert answer.headers.get("Link") == (f'<{next_}>; rel="next"' if next_ else None)
        following = next_ and urljoin(following, next_)
    return found


@each_row("limit", [1, 7, 25, 100])
def test_pages_hold_every_run_once(many: Service, limit: int) -> None:
    found = pages(many, f"/runs?limit={limit}&timezone=Asia/Tokyo")
    assert [run for page in found for run in page] == [f"run-{n:03d}" for n in range(24, -1, -1)]
    assert all(len(page) == limit for page in found[:-1])


def test_pages_are_of_one_snapshot_whatever_happens_meanwhile(many: Service) -> None:
    first = many.get("/runs?limit=10")
    many.runtime.say("executions", 200, {"resources": executions(3)})
    assert listed(many.get("/runs", Cache_Control="no-cache")) == ["run-002", "run-001", "run-000"]
    following = urljoin("/runs", json.loads(first.data)["page"]["next"])
    assert [run for page in pages(many, following) for run in page] == [f"run-{n:03d}" for n in range(14, -1, -1)]


def test_a_snapshot_that_is_gone_is_said_to_be(many: Service, surroundings: Surroundings) -> None:
    following = urljoin("/runs", json.loads(many.get("/runs?limit=10").data)["page"]["next"])
    many.runtime.say("executions", 200, {"resources": executions(3)})
    many.valkey.flush()
    with surroundings.service() as restarted:
        answer = restarted.get(following, many.token)
    assert (answer.status_code, json.loads(answer.data)["type"]) == (410, "urn:metric-resource:cursor-expired")


def test_a_cursor_is_good_for_what_it_was_given_for_only(many: Service) -> None:
    following = json.loads(many.get("/runs?limit=10").data)["page"]["next"]
    cursor = following.split("cursor=")[1]
    for path, headers in (
        (f"/runs?limit=10&status=DEAD&cursor={cursor}", {}),
        (f"/runs?limit=10&timezone=Asia/Tokyo&cursor={cursor}", {}),
        (f"/runs?limit=10&cursor={cursor}", {"AI_Resource_Group": "another"}),
        (f"/runs?limit=10&cursor={cursor[:-2]}", {}),
        (f"/runs?limit=10&cursor={cursor.swapcase()}", {}),
        ("/runs?limit=10&cursor=%00", {}),
    ):
        answer = many.get(path, **headers)
        assert answer.status_code == 400, path
        assert [fault["parameter"] for fault in json.loads(answer.data)["errors"]] == ["cursor"]
    assert many.get(f"/runs?limit=3&cursor={cursor}").status_code == 200


@each_row("query", ["limit=0", "limit=10001", "limit=1_0", "limit=x", "status=done", "status=", "name=x"])
def test_what_cannot_be_is_named(many: Service, query: str) -> None:
    answer = many.get(f"/runs?{query}")
    assert answer.status_code == 400
    assert [fault["parameter"] for fault in json.loads(answer.data)["errors"]] == [query.split("=", maxsplit=1)[0]]


def test_conditional_and_head_requests(many: Service) -> None:
    for path in ("/runs", "/runs?limit=3", RUN):
        answer = many.get(path)
        assert many.get(path, If_None_Match=answer.headers["ETag"]).status_code == 304
        head = many.get(path, method="HEAD")
        assert (head.status_code, head.data, head.headers["ETag"]) == (200, b"", answer.headers["ETag"])
        assert answer.headers["Cache-Status"].startswith("metric-resource; ")


@each_row("path", ["/runs/run1", "/runs/no-such-run", "/runs", "/comparisons?run=run1&run=no-such-run"])
def test_a_refusal_says_the_same_of_any_run_stored_or_not(described: Service, path: str) -> None:
    assert described.get(RUN).status_code == 200
    restricted = described.issuer.mint(
        roles=["scenario_job_viewer", "scenario_metric_viewer"], resource_groups=["another-group"]
    )
    for token in (described.issuer.mint(roles=["viewer"]), restricted):
        answer = described.get(path, token, If_None_Match="*")
        assert answer.status_code == 403
        assert "run1" not in json.loads(answer.data)["detail"]
    assert described.runtime.asked["executions"] == 0


TEMPLATE = {"configurationId": "c", "status": "COMPLETED"}
LISTED = [
    {**TEMPLATE, "id": "run-a", "createdAt": "2026-03-29T01:00:00Z", "configurationName": "wide net",
     "startTime": "2026-03-29T01:00:00.5Z", "completionTime": "2026-03-29T01:00:10.75Z", "executionScheduleId": "nightly"},
    {**TEMPLATE, "id": "run-b", "createdAt": "2026-03-29T02:00:00Z", "configurationName": "Deep Net", "status": "DEAD",
     "startTime": "2026-03-29T02:00:00Z", "completionTime": "2026-03-29T02:00:01Z"},
    {**TEMPLATE, "id": "run-c", "createdAt": "2026-03-29T03:00:00Z", "status": "RUNNING"},
]  # fmt: skip


@pytest.fixture
def several(service: Service) -> Service:
    service.runtime.say("executions", 200, {"count": 3, "resources": LISTED})
    service.token = service.issuer.mint(roles=["scenario_job_viewer"])
    return service


def found(service: Service, query: str) -> str:
    """The last letters of the runs' ids."""
    return "".join(run["runId"][-1] for run in service.get(f"/runs?{query}").json["runs"])


@each_row(
    "query, runs",
    [
        ("", "cba"),
        ("status=DEAD&status=RUNNING", "cb"),
        ("search=NET", "ba"),
        ("search=run-c", "c"),
        ("executionScheduleId=nightly", "a"),
        ("createdSince=2026-03-29T04:00:00%2B0200", "cb"),
        ("createdUntil=2026-03-29T02:00:00Z&sort=createdAt", "ab"),
        ("sort=durationSeconds", "bac"),
        ("sort=-durationSeconds", "abc"),
        ("sort=configurationName", "bac"),
        ("sort=-status,createdAt", "cba"),
    ],
)
def test_runs_are_filtered_and_sorted(several: Service, query: str, runs: str) -> None:
    assert found(several, query) == runs


def test_a_run_has_its_duration_and_its_schedule(several: Service) -> None:
    answer = several.get("/runs?executionScheduleId=nightly")
    assert b'"durationSeconds":10.25,' in answer.data
    assert answer.json["runs"][0]["executionScheduleId"] == "nightly"


def test_pages_keep_to_the_order(several: Service) -> None:
    first = several.get("/runs?sort=-durationSeconds&limit=2")
    assert [run["runId"] for run in first.json["runs"]] == ["run-a", "run-b"]
    several.runtime.say("executions", 200, {"count": 0, "resources": LISTED[:1]})
    second = several.get("/runs" + first.json["page"]["next"])
    assert [run["runId"] for run in second.json["runs"]] == ["run-c"]
    assert second.json["page"] == {"total": 3, "next": None}


@each_row(
    "query, parameters",
    [
        ("sort=loss&status=dead&createdSince=yesterday", {"sort", "status", "createdSince"}),
        ("sort=status,-status", {"sort"}),
        ("createdSince=2026-03-29T02:00:00Z&createdUntil=2026-03-29T01:00:00Z", {"createdSince"}),
        ("search=a&search=b", {"search"}),
    ],
)
def test_each_fault_of_a_list_of_runs_is_named(several: Service, query: str, parameters: set[str]) -> None:
    answer = several.get(f"/runs?{query}")
    assert answer.status_code == 400
    assert {fault["parameter"] for fault in answer.json["errors"]} == parameters
