"""What a runtime can do, and which resource groups it has."""

from __future__ import annotations

import json

import pytest

from tests.integration.service.conftest import Service
from tests.servers.scripted_runtime import META

GROUPS = {"count": 2, "resources": [{"resourceGroupId": "default"}, {"resourceGroupId": "group-b"}]}


def test_capabilities_name_connection_kind_and_logs(service: Service) -> None:
    assert service.get("/capabilities").json == {
        "connection": "default",
        "runtime": {"kind": "ai_api", "identifier": "scripted", "apiVersion": "2.21.0"},
        "metricResource": {"available": True, "version": "1.0.0", "extendedResults": True},
        "logs": {"available": True},
    }


@pytest.mark.parametrize("body", [{"error": {}}, b"<html>not here</html>"])
def test_a_runtime_may_say_nothing_of_itself(service: Service, body: object) -> None:
    service.runtime.say("meta", 404, body)
    answer = service.get("/capabilities")
    assert answer.status_code == 200
    assert (answer.json["metricResource"]["available"], answer.json["logs"]["available"]) == (None, None)
    assert service.get().status_code == 200
    service.token = service.issuer.mint(roles=["scenario_job_viewer"])
    run = json.loads(service.get("/runs/run1").data)
    assert (run["metricResource"]["available"], run["logs"]["available"]) == (None, None)


def test_resource_groups_are_the_runtimes(service: Service) -> None:
    service.runtime.say("admin/resourceGroups", 200, GROUPS)
    answer = service.get("/resource-groups", token=service.issuer.mint())
    assert answer.json == {"resourceGroups": [{"id": "default"}, {"id": "group-b"}], "complete": True}
    assert answer.headers["AI-Resource-Group"] == "default"  # the connection's own, as none was named
    named = service.get("/resource-groups", AI_Resource_Group="group-b")
    assert named.headers["AI-Resource-Group"] == "group-b"
    assert service.runtime.asked["admin/resourceGroups"] == 1


def test_a_token_that_restricts_says_which(service: Service) -> None:
    token = service.issuer.mint(resource_groups=("group-z", "group-a"))
    answer = service.get("/resource-groups", token=token)
    assert answer.json == {"resourceGroups": [{"id": "group-a"}, {"id": "group-z"}], "complete": True}
    assert answer.headers["AI-Resource-Group"] == "default"
    assert not service.runtime.asked["admin/resourceGroups"]


@pytest.mark.parametrize("status", [403, 404, 501])
def test_a_runtime_that_does_not_tell_leaves_the_one_that_is_asked_for(service: Service, status: int) -> None:
    service.runtime.say("admin/resourceGroups", status, {"error": {}})
    answer = service.get("/resource-groups", AI_Resource_Group="mine")
    assert answer.json == {"resourceGroups": [{"id": "mine"}], "complete": False}


def test_a_runtime_without_resource_groups_has_none(service: Service) -> None:
    service.runtime.say("meta", 200, {**META, "aiApi": {"capabilities": {"multitenant": False}}})
    service.get("/capabilities")  # who does not know them in time takes a runtime to have groups
    assert service.get("/resource-groups").json == {"resourceGroups": [], "complete": True}


def test_a_token_is_needed(service: Service) -> None:
    assert service.client.get("/resource-groups").status_code == 401


@pytest.mark.parametrize(("path", "member"), [("tags", "tags"), ("custom-info", "customInfo")])
def test_names_can_be_searched(service: Service, path: str, member: str) -> None:
    pairs = [{"name": "Artifact Group", "value": "a"}, {"name": "other", "value": "group"}]
    service.runtime.say("metrics", 200, {"resources": [{"executionId": "run1", "tags": pairs, "customInfo": pairs}]})
    assert service.get(f"/runs/run1/{path}?search=GROUP").json[member] == pairs[:1]
    assert service.get(f"/runs/run1/{path}").json[member] == pairs
