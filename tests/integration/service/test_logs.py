"""The logs of runs, as callers read them."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.integration.service.conftest import Service
from tests.rows import each_row
from tests.servers.scripted_runtime import META

LOGS = "/runs/run1/logs"
EXECUTION = {"id": "run1", "status": "RUNNING", "configurationId": "c", "startTime": "2026-03-29T00:00:00Z"}
LINES = [
    {"timestamp": "2026-03-29T01:00:00.50Z", "msg": "later", "container": "main", "pod": "p", "stream": "stderr"},
    {"timestamp": "2026-03-29T00:59:59Z", "msg": "Epoch 1\n2026-01-01T00:00:00Z forged \x1b[31m\u202e\x00"},
]


@pytest.fixture
def logged(service: Service) -> Service:
    service.runtime.say("execution", 200, EXECUTION)
    service.runtime.say("logs", 200, {"data": {"result": LINES}})
    service.token = service.issuer.mint(roles=["scenario_execution_viewer"])
    return service


def sent(service: Service) -> dict[str, list[str]]:
    """The query of the last request for logs."""
    paths = [headers["path"] for headers in service.runtime.headers if "/logs" in headers["path"]]
    return parse_qs(urlsplit(paths[-1]).query)


def test_lines_are_given_in_the_callers_zone(logged: Service) -> None:
    answer = logged.get(f"{LOGS}?timezone=Europe/Berlin")
    assert (answer.status_code, answer.content_type) == (200, "application/json")
    first, second = answer.json["logs"]
    assert first == {
        "timestamp": "2026-03-29T03:00:00.50+02:00",
        "message": "later",
        "container": "main",
        "pod": "p",
        "stream": "stderr",
    }
    assert second["timestamp"] == "2026-03-29T01:59:59+01:00"
    assert {name for name, value in second.items() if value is None} == {"container", "pod", "stream"}
    assert (answer.json["runId"], answer.json["timezone"]) == ("run1", "Europe/Berlin")
    assert "warnings" not in answer.json
    assert sent(logged) == {"start": ["2026-03-28T23:59:59.999000Z"], "$top": ["1000"], "$order": ["desc"]}


@pytest.mark.parametrize("how", [{"Accept": "text/plain"}, {}])
def test_as_text_no_message_can_pass_for_another_line_or_move_a_terminal(logged: Service, how: dict[str, str]) -> None:
    answer = logged.get(f"{LOGS}?order=asc" + ("" if how else "&format=text"), **how)
    assert answer.content_type == "text/plain; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="run1-log.txt"'
    assert answer.get_data(as_text=True) == (
        "2026-03-29T00:59:59Z Epoch 1\n"
        "    2026-01-01T00:00:00Z forged \\x1b[31m\\u202e\\x00\n"
        "2026-03-29T01:00:00.50Z later\n"
    )


def test_a_range_is_asked_for_and_kept_to(logged: Service) -> None:
    query = "since=2026-03-29T03:00:00%2B02:00&until=2026-03-29T01:30:00Z&limit=7&order=asc&search=LATER"
    assert [line["message"] for line in logged.get(f"{LOGS}?{query}").json["logs"]] == ["later"]
    asked = sent(logged)
    assert (asked["start"], asked["end"]) == (["2026-03-29T00:59:59.999000Z"], ["2026-03-29T01:30:00.001000Z"])
    assert (asked["$order"], asked["$top"]) == (["asc"], ["5000"])


@each_row(
    "query, parameters",
    [
        ("since=yesterday&limit=0&order=up", {"since", "limit", "order"}),
        ("limit=5001", {"limit"}),
        ("limit=1_0&until=2026", {"limit", "until"}),
        ("since=2026-03-29T01:00:00Z&until=2026-03-29T00:00:00Z", {"since"}),
        ("cursor=abc", {"cursor"}),
    ],
)
def test_each_bad_parameter_is_named(logged: Service, query: str, parameters: set[str]) -> None:
    answer = logged.get(f"{LOGS}?{query}")
    assert answer.status_code == 400
    assert {fault["parameter"] for fault in answer.json["errors"]} == parameters
    assert not logged.runtime.asked["logs"]


@each_row("role", ["scenario_job_viewer", "scenario_metric_viewer", "mlfunctions_viewer"])
def test_logs_have_a_scope_of_their_own(logged: Service, role: str) -> None:
    answer = logged.get(LOGS, token=logged.issuer.mint(roles=[role]))
    assert (answer.status_code, answer.json["scope"]) == (403, "scenarios.executions.logs.read")
    assert {"scenario_execution_viewer", "mloperations_viewer"} <= set(answer.json["roles"])


def test_a_runtime_that_says_it_has_none_is_not_asked(logged: Service) -> None:
    ai_api = {"version": "2.18.0", "capabilities": {"logs": {"executions": False}}}
    logged.runtime.say("meta", 200, {**META, "aiApi": ai_api})
    answer = logged.get(LOGS)
    assert (answer.status_code, answer.json["type"]) == (501, "urn:metric-resource:logs-not-supported")
    assert not logged.runtime.asked["logs"]
    run = logged.get("/runs/run1").json
    assert run["logs"] == {"available": False, "href": "../runs/run1/logs"}


@pytest.mark.parametrize(
    ("meta", "logs", "status"), [(200, 404, 200), (200, 501, 501), (404, 404, 501), (404, 200, 200), (200, 500, 503)]
)
def test_what_is_not_there_is_empty_or_not_supported(logged: Service, meta: int, logs: int, status: int) -> None:
    logged.runtime.say("meta", meta, META)
    logged.get("/capabilities")
    logged.runtime.say("logs", logs, {})
    answer = logged.get(LOGS)
    assert answer.status_code == status
    assert answer.json.get("logs", []) == []


def test_an_unknown_run(logged: Service) -> None:
    logged.runtime.say("execution", 404, {"error": {}})
    answer = logged.get(LOGS)
    assert (answer.status_code, answer.json["type"]) == (404, "urn:metric-resource:run-not-found")


def test_a_log_is_stored_for_all_who_ask_the_same(logged: Service) -> None:
    first = logged.get(LOGS)
    again = logged.get(f"{LOGS}?timezone=Asia/Tokyo")
    assert again.headers["Cache-Status"].startswith("metric-resource; hit")
    assert logged.get(LOGS, If_None_Match=first.headers["ETag"]).status_code == 304
    assert logged.runtime.asked["logs"] == 1
    logged.get(f"{LOGS}?limit=5")
    assert logged.runtime.asked["logs"] == 2


@pytest.mark.parametrize(("status", "seconds"), [("RUNNING", "60"), ("DEAD", "300")])
def test_a_log_that_may_grow_is_fresh_for_a_shorter_time(logged: Service, status: str, seconds: str) -> None:
    logged.runtime.say("execution", 200, {**EXECUTION, "status": status})
    assert f"max-age={seconds}," in logged.get(LOGS).headers["Cache-Control"]


def test_more_than_could_be_looked_through_is_said(logged: Service) -> None:
    line = {"timestamp": "2026-03-29T01:00:00Z", "msg": "x"}
    logged.runtime.say("logs", 200, {"data": {"result": [line] * 5000}})
    (warning,) = logged.get(f"{LOGS}?search=y").json["warnings"]
    assert warning["code"] == "incomplete-log"
    text = logged.get(f"{LOGS}?search=y&format=text").get_data(as_text=True)
    assert text.startswith("# ")


def test_an_unreadable_time_is_null_and_said(logged: Service) -> None:
    logged.runtime.say("logs", 200, {"data": {"result": [{"msg": "when?"}]}})
    found: dict[str, Any] = json.loads(logged.get(LOGS).data)
    assert found["logs"][0]["timestamp"] is None
    assert [warning["code"] for warning in found["warnings"]] == ["unreadable-timestamp"]
    assert logged.get(f"{LOGS}?format=text").data == b"- when?\n"
