"""Executions and what belongs to them."""

from __future__ import annotations

import uuid
from typing import Any

from tests.rows import each_row

RUN = "5b0f6d52-3a57-4c0e-9d0b-6f1f4f2b8a11"


def test_a_recorded_execution_is_complete(api: Any) -> None:
    execution = api.get(f"/executions/{RUN}").json()
    assert execution["status"] == "COMPLETED"
    (model,) = execution["outputArtifacts"]
    assert api.get(f"/artifacts/{model['id']}").json() == model
    configuration = api.get(f"/configurations/{execution['configurationId']}").json()
    assert {"key": "learning_rate", "value": "0.001"} in configuration["parameterBindings"]
    (binding,) = configuration["inputArtifactBindings"]
    assert api.get(f"/artifacts/{binding['artifactId']}").json()["kind"] == "dataset"
    scenario, executable = execution["scenarioId"], execution["executableId"]
    assert api.get(f"/scenarios/{scenario}").json()["id"] == scenario
    assert api.get(f"/scenarios/{scenario}/executables/{executable}").json()["scenarioId"] == scenario


def test_lists_of_what_executions_are_made_from(api: Any) -> None:
    scenarios = api.get("/scenarios").json()
    assert scenarios["count"] == len(scenarios["resources"]) == 4
    executables = api.get("/scenarios/digit-recognition/executables").json()["resources"]
    assert {one["id"] for one in executables} == {"digits-network", "digits-linear", "digits-online"}
    assert api.get("/scenarios/digit-recognition/versions").json()["count"] == 1
    api.assert_error(api.get("/scenarios/no-such/executables"), 404)
    api.assert_error(api.get("/scenarios/digit-recognition/executables/wine-neighbours"), 404)


def test_filters_pages_and_counts(serve: Any) -> None:
    api = serve()

    def ids(**parameters: Any) -> list[str]:
        return [one["id"] for one in api.get("/executions", **parameters).json()["resources"]]

    everything = ids()
    assert len(everything) == api.get("/executions/$count").json() == 10
    assert len(ids(status="COMPLETED")) == api.get("/executions/$count", status="COMPLETED").json() == 7
    assert len(ids(scenarioId="digit-recognition")) == 6
    assert len(ids(executableIds="digits-network,digits-linear")) == 5
    assert len(ids(scenarioId="digit-recognition", executableIds="digits-network", status="STOPPED")) == 1
    assert ids(executionScheduleId="none") == []
    configuration = api.get(f"/executions/{RUN}").json()["configurationId"]
    assert ids(configurationId=configuration) == [RUN]
    assert ids(**{"$top": 3, "$skip": 2}) == everything[2:5]
    assert api.get("/executions", **{"$top": 1}).json()["count"] == 10


@each_row("name, value", [("$top", "100001"), ("$top", "-1"), ("$skip", "a"), ("$top", "٣")])
def test_pages_out_of_bounds(api: Any, name: str, value: str) -> None:
    api.assert_error(api.get("/executions", **{name: value}), 400, name)


def test_an_execution_from_start_to_end(api: Any) -> None:
    created = api.call("POST", "/executions", json={"configurationId": api.configuration("mine")})
    assert created.status_code == 202
    assert created.json().keys() == {"id", "message", "status", "targetStatus"}
    id_ = created.json()["id"]
    execution = api.get(f"/executions/{id_}").json()
    assert (execution["status"], execution["configurationName"]) == ("PENDING", "mine")
    assert "startTime" not in execution
    api.log(executionId=id_, metrics=[{"name": "m", "value": 1}])
    assert api.get(f"/executions/{id_}").json()["status"] == "RUNNING"
    assert set(api.get(f"/executions/{id_}", **{"$select": "status"}).json()) >= {"id", "status", "configurationId"}
    stopped = api.call("PATCH", f"/executions/{id_}", json={"targetStatus": "STOPPED"})
    assert (stopped.status_code, stopped.json()["targetStatus"]) == (202, "STOPPED")
    execution = api.get(f"/executions/{id_}").json()
    assert execution["status"] == "STOPPED"
    assert execution["createdAt"] <= execution["startTime"] <= execution["completionTime"]
    deleted = api.call("DELETE", f"/executions/{id_}")
    assert (deleted.status_code, deleted.json()["targetStatus"]) == (202, "DELETED")
    api.assert_error(api.get(f"/executions/{id_}"), 404)
    assert api.get("/metrics", executionIds=id_).json()["count"] == 0


def test_stopping_what_has_ended_changes_nothing(api: Any) -> None:
    before = api.get(f"/executions/{RUN}").json()
    assert api.call("PATCH", f"/executions/{RUN}", json={"targetStatus": "STOPPED"}).status_code == 202
    assert api.get(f"/executions/{RUN}").json() == before


def test_many_at_once(api: Any) -> None:
    stop, delete, missing = api.execution(), api.execution(), str(uuid.uuid4())
    targets = [(stop, "STOPPED"), (delete, "DELETED"), (missing, "STOPPED")]
    body = {"executions": [{"id": id_, "targetStatus": target} for id_, target in targets]}
    answer = api.call("PATCH", "/executions", json=body)
    assert answer.status_code == 202
    assert [("error" in one, one["id"]) for one in answer.json()["executions"]] == [
        (False, stop),
        (False, delete),
        (True, missing),
    ]
    assert api.get(f"/executions/{stop}").json()["status"] == "STOPPED"
    api.assert_error(api.get(f"/executions/{delete}"), 404)
    api.assert_error(api.call("PATCH", "/executions", json={"executions": []}), 400, "executions")


@each_row(
    "method, path, body, status",
    [
        ("POST", "/executions", {"configurationId": "no-such-configuration"}, 400),
        ("POST", "/executions", {}, 400),
        ("PATCH", f"/executions/{RUN}", {"targetStatus": "RUNNING"}, 400),
        ("PATCH", "/executions/no-such-run", {"targetStatus": "STOPPED"}, 404),
        ("DELETE", "/executions/no-such-run", None, 404),
        ("GET", "/configurations/no-such", None, 404),
        ("GET", "/artifacts/no-such", None, 404),
        ("GET", "/scenarios/no-such", None, 404),
        ("POST", "/configurations", {"name": "n" * 257, "executableId": "e", "scenarioId": "s"}, 400),
        ("POST", "/artifacts", {"name": "a", "kind": "painting", "url": "ai://x", "scenarioId": "s"}, 400),
        ("GET", "/no/such/path", None, 404),
        ("PUT", "/executions", {}, 405),
    ],
)
def test_mistakes(api: Any, method: str, path: str, body: Any, status: int) -> None:
    api.assert_error(api.call(method, path, json=body), status)


def test_configurations_and_artifacts_can_be_made(api: Any) -> None:
    artifact = {"name": "a", "kind": "dataset", "url": "ai://default/a", "scenarioId": "mine", "description": "ä"}
    made = api.call("POST", "/artifacts", json=artifact)
    assert (made.status_code, made.json()["url"]) == (201, artifact["url"])
    found = api.get(f"/artifacts/{made.json()['id']}").json()
    assert artifact.items() <= found.items()
    assert api.get("/artifacts", scenarioId="mine", kind="dataset", name="a").json()["resources"] == [found]
    assert api.get("/artifacts/$count", scenarioId="mine").json() == 1
    configuration = {
        "name": "c",
        "executableId": "digits-mine",
        "scenarioId": "mine",
        "parameterBindings": [{"key": "rate", "value": "0.10"}],
        "inputArtifactBindings": [{"key": "dataset", "artifactId": found["id"]}],
    }
    id_ = api.call("POST", "/configurations", json=configuration).json()["id"]
    assert configuration.items() <= api.get(f"/configurations/{id_}").json().items()
    assert api.get("/configurations/$count", scenarioId="mine", executableIds="digits-mine,x").json() == 1
    assert api.get("/configurations", scenarioId="mine").json()["resources"][0]["id"] == id_


@each_row("path", ["/deployments", "/executionSchedules", "/scenarios/digit-recognition/models"])
def test_what_there_is_none_of(api: Any, path: str) -> None:
    assert api.get(path).json() == {"count": 0, "resources": []}


def test_other_things_clients_ask(api: Any) -> None:
    assert api.get("/deployments/$count").json() == api.get("/executionSchedules/$count").json() == 0
    assert api.get("/healthz").json()["status"] == "READY"
    api.assert_error(api.get("/deployments/none"), 404)
    groups = api.get("/../admin/resourceGroups").json()
    assert [group["resourceGroupId"] for group in groups["resources"]][:2] == ["default", "research"]
