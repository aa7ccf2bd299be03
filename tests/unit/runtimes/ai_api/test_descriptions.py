"""What a runtime says of itself (``GET /lm/meta``) and of a run (``GET /lm/executions/{id}``)."""

from __future__ import annotations

import json

import pytest

from service.domain.errors import BadGateway
from service.domain.runs import RunStatus
from service.domain.runtime import Capabilities
from service.runtimes.ai_api.mapping import run_status
from service.runtimes.ai_api.meta import capabilities
from tests.rows import each_row

FULL = {
    "runtimeIdentifier": "aicore",
    "runtimeApiVersion": "2.21.0",
    "description": "…",
    "aiApi": {"version": "2.18.0", "capabilities": {"multitenant": True, "userExecutions": True}, "limits": {"x": 1}},
    "extensions": {
        "metrics": {"version": "1.0.0", "capabilities": {"extendedResults": True}},
        "analytics": {"version": "1.0.0"},
    },
}


def described(**members: object) -> Capabilities:
    return capabilities(json.dumps(members).encode())


def test_a_whole_description_is_read() -> None:
    assert described(**FULL) == Capabilities("aicore", "2.21.0", True, "1.0.0", True, True, True)


@each_row("extensions, available", [
        (None, False), ({}, False), ({"analytics": {"version": "1"}}, False), ({"metrics": None}, False),
        ({"metrics": {}}, True), ({"metrics": {"version": None}}, True), ({"metrics": {"capabilities": None}}, True),
        ({"metrics": {"capabilities": {}}}, True), ({"metrics": {"capabilities": {"extendedResults": False}}}, True),
        ({"Metrics": {}}, False), ({"metrics": {"anything": ["else"]}}, True),
    ])  # fmt: skip
def test_metrics_are_there_if_and_only_if_their_extension_is(extensions: object, available: bool) -> None:
    found = described(extensions=extensions)
    assert found.metrics is available
    assert not found.extended_results


@each_row("extensions", [True, "metrics", ["metrics"], {"metrics": True}, {"metrics": "1.0.0"}, 1])
def test_extensions_of_another_shape_are_refused(extensions: object) -> None:
    with pytest.raises(BadGateway):
        described(extensions=extensions)


@each_row(
    "members, version",
    [
        ({"runtimeApiVersion": "2.21.0", "aiApi": {"version": "2.18.0"}}, "2.21.0"),
        ({"aiApi": {"version": "2.18.0"}}, "2.18.0"),
        ({"runtimeApiVersion": None, "aiApi": {"version": "2.18.0"}}, "2.18.0"),
        ({"aiApi": {}}, None),
        ({"aiApi": None}, None),
        ({}, None),
    ],
)
def test_the_version_is_the_runtimes_own_or_the_apis(members: dict[str, object], version: str | None) -> None:
    assert described(**members).api_version == version


@each_row(
    "api, multitenant",
    [(None, True), ({}, True), ({"capabilities": None}, True), ({"capabilities": {}}, True)]
    + [({"capabilities": {"multitenant": multitenant}}, multitenant) for multitenant in (True, False)],
)
def test_a_runtime_has_resource_groups_unless_it_says_otherwise(api: object, multitenant: bool) -> None:
    assert described(aiApi=api).multitenant is multitenant


@each_row(
    "body", [b"", b"[]", b"null", b"<html>", b'{"runtimeIdentifier":1}', b'{"aiApi":"2"}', b'{"aiApi":{"version":2}}']
)
def test_what_is_no_description_is_refused(body: bytes) -> None:
    with pytest.raises(BadGateway):
        capabilities(body)


@each_row("status", ["COMPLETED", "STOPPED", "DEAD"])
def test_a_run_that_has_ended_may_not_change(status: str) -> None:
    assert not run_status(json.dumps({"id": "run1", "status": status}).encode(), "run1").may_change


@each_row("status", ["PENDING", "RUNNING", "STOPPING", "UNKNOWN", "", "completed", "ARCHIVED", "_ENDED"])
def test_any_other_run_may_change(status: str) -> None:
    assert run_status(json.dumps({"id": "run1", "status": status}).encode(), "run1").may_change


def test_a_word_of_a_later_version_is_unknown() -> None:
    assert run_status(b'{"id":"run1","status":"ARCHIVED"}', "run1") is RunStatus.UNKNOWN


def test_what_is_of_no_interest_may_be_of_any_shape() -> None:
    body = b'{"statusMessage":"\\ud83d","statusDetails":[NaN],"status":"DEAD","outputArtifacts":7,"id":"run1"}'
    assert run_status(body, "run1") is RunStatus.DEAD


@each_row("body", [
        b"", b"[]", b"null", b'"DEAD"', b"{}", b'{"id":"run1"}', b'{"status":"DEAD"}', b'{"id":"run1","status":null}',
        b'{"id":"run1","status":1}', b'{"id":null,"status":"DEAD"}', b'{"id":"run2","status":"DEAD"}',
        b'{"id":"RUN1","status":"DEAD"}', b'[{"id":"run1","status":"DEAD"}]', b'{"id":"run1","status":"DEAD"',
    ])  # fmt: skip
def test_what_is_no_status_of_that_run_is_refused(body: bytes) -> None:
    with pytest.raises(BadGateway):
        run_status(body, "run1")
