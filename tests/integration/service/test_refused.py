"""Access is decided before anything is looked at: who is refused learns nothing of a run, stored or not, there or not."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from service.api.http.headers import LONGEST_LIST
from tests.integration.service.conftest import Service
from tests.rows import each_row

PARTS = ("metric-resource", "metric-resource/series", "metric-resource/chart", "tags", "custom-info")
KNOWN, UNKNOWN = "run-known", "run-unknown"


def without_role(service: Service) -> str:
    return service.issuer.mint(roles=["scenario_job_editor"])


def without_group(service: Service) -> str:
    return service.issuer.mint(roles=["scenario_metric_viewer"], resource_groups=["another-group"])


def content_of(answer: Any) -> tuple[dict[str, Any], dict[str, str]]:
    """What an answer says, but for what the caller itself has said and the ids of the exchange."""
    document = json.loads(answer.data)
    assert document.pop("instance").lstrip("./").startswith("runs/run-")
    assert document.pop("requestId")
    return document, {
        name: value for name, value in answer.headers if name not in {"X-Request-ID", "traceparent", "Content-Length"}
    }


@each_row("caller", [without_role, without_group])
@each_row("part", PARTS)
def test_the_answer_is_the_same_for_any_run_whatever_is_stored(
    service: Service, caller: Callable[[Service], str], part: str
) -> None:
    part = f"{part}?name=loss" if part.endswith("chart") else part
    stored = service.get(f"/runs/{KNOWN}/{part}")
    assert stored.status_code == 200
    service.runtime.say("execution", 404, {"error": {}})
    assert service.get(f"/runs/{UNKNOWN}/{part}").status_code == 404
    service.runtime.headers.clear()
    answers = [
        service.get(f"/runs/{run}/{part}", token=caller(service), **asked)
        for run in (KNOWN, UNKNOWN, "run-never-asked")
        for asked in (
            {},
            {"If_None_Match": stored.headers["ETag"]},
            {"If_None_Match": "*"},
            {"Cache_Control": "only-if-cached"},
        )
    ]
    assert {answer.status_code for answer in answers} == {403}
    assert all(content_of(answer) == content_of(answers[0]) for answer in answers)
    assert not {"ETag", "Age", "Cache-Status"} & set(answers[0].headers.keys())
    assert answers[0].headers["Cache-Control"] == "no-store"
    assert service.runtime.headers == []


@pytest.mark.parametrize("condition", [{}, {"If_None_Match": "*"}])
def test_without_a_token_that_holds_neither(service: Service, condition: dict[str, str]) -> None:
    etag = service.get(f"/runs/{KNOWN}/tags").headers["ETag"]
    service.runtime.headers.clear()
    for run in (KNOWN, UNKNOWN):
        for token in (service.token[:-6] + "AAAAAA", service.issuer.mint(lifetime=-3600), "none"):
            answer = service.get(f"/runs/{run}/tags", token=token, **{"If_None_Match": etag, **condition})
            assert answer.status_code == 401
            assert "ETag" not in answer.headers
    assert service.runtime.headers == []


def test_a_caller_without_its_role_learns_not_even_that_its_request_is_malformed(service: Service) -> None:
    assert service.get("/runs/!/tags?nonsense=1", token=without_role(service)).status_code == 403


def test_a_missing_role_is_reported_with_what_grants_it(service: Service) -> None:
    refused = json.loads(service.get(f"/runs/{KNOWN}/tags", token=without_role(service)).data)
    assert refused["scope"] == "scenarios.metrics.read"
    assert {"scenario_metric_viewer", "mloperations_viewer", "genai_experimenter"} <= set(refused["roles"])
    assert "scenario_job_editor" not in refused["roles"]
    assert "ailaunchpad_functions_explorer_editor_v2" in refused["roleCollections"]
    assert "ailaunchpad_allow_all_resourcegroups" not in refused["roleCollections"]


@each_row("name", ["Accept", "Accept-Encoding", "Cache-Control", "If-None-Match", "Pragma"])
def test_a_list_longer_than_any_client_needs_is_refused_before_it_is_read(service: Service, name: str) -> None:
    """3 MB of media types, in a hundred fields, took 19 s."""
    assert service.get(**{name: "*/*" + "," * (LONGEST_LIST - 3)}).status_code != 431
    refused = service.get(**{name: "*/*" + "," * (LONGEST_LIST - 2)})
    assert refused.status_code == 431
    assert refused.json["detail"] == f"{name} must not be longer than {LONGEST_LIST} characters in total"
