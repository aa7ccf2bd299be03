"""Logging metrics and reading them back."""

from __future__ import annotations

import json
import re
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.rows import each_row

POINT = {"name": "Accuracy", "value": 0.5, "timestamp": "2026-03-29T01:00:00.123456Z", "step": 1}


def test_what_is_logged_comes_back(api: Any) -> None:
    id_ = api.execution()
    point = POINT | {"labels": [{"name": "metrics.ai.sap.com/Artifact.name", "value": "m"}]}
    tags, info = [{"name": "Artifact Group", "value": "RFC-1"}], [{"name": "Confusion Matrix", "value": "[1]"}]
    answer = api.log(executionId=id_, metrics=[point], tags=tags, customInfo=info)
    assert (answer.status_code, answer.content) == (204, b"")
    resource = api.resource(id_)
    assert (resource["metrics"], resource["tags"], resource["customInfo"]) == ([point], tags, info)
    assert resource["executionId"] == id_
    assert datetime.fromisoformat(resource["createdAt"]) <= datetime.fromisoformat(resource["modifiedAt"])


def test_metrics_are_appended_and_named_values_replaced(api: Any) -> None:
    id_ = api.execution()
    for number in (1, 2):
        named = [{"name": "same", "value": str(number)}, {"name": f"only {number}", "value": "x"}]
        api.log(executionId=id_, metrics=[POINT | {"step": number}], tags=named, customInfo=named)
    resource = api.resource(id_)
    assert [metric["step"] for metric in resource["metrics"]] == [1, 2]
    for section in ("tags", "customInfo"):
        assert {item["name"]: item["value"] for item in resource[section]} == {
            "same": "2",
            "only 1": "x",
            "only 2": "x",
        }


NUMBERS = ["0.1", "0.10", "1e-7", "1E+400", "-0", "-0.0", "0", "1.0", "123456789012345678901234567890", "5.0e-324"]


@pytest.mark.parametrize("content_type", ["application/json", "application/merge-patch+json; charset=utf-8"])
def test_numbers_and_timestamps_keep_every_character(api: Any, content_type: str) -> None:
    id_ = api.execution()
    stamps = [
        f"2026-03-29T01:00:00{fraction}{zone}" for fraction in ("", ".1", ".123456789") for zone in ("Z", "+05:45")
    ]
    stamps += ["2026-03-29t01:00:00.100z", "2016-12-31T23:59:60Z", "0001-01-01T00:00:00+00:00", "9999-12-31T23:59:59Z"]
    step = "98765432109876543210"
    for value, stamp in [(value, stamps[0]) for value in NUMBERS] + [("1", stamp) for stamp in stamps]:
        metric = f'{{"name":"m","value": {value} ,"timestamp":"{stamp}","step":{step}}}'
        answer = api.log_text(f'{{"executionId":"{id_}","metrics":[{metric}]}}', content_type)
        assert answer.status_code == 204, answer.text
    text = api.get("/metrics", executionIds=id_).text
    assert re.findall(r'"value":([^,]+),', text)[: len(NUMBERS)] == NUMBERS
    assert re.findall(r'"timestamp":"([^"]+)"', text)[len(NUMBERS) :] == stamps
    assert text.count(f'"step":{step}') == len(NUMBERS) + len(stamps)


def test_any_unicode_comes_back(api: Any) -> None:
    id_, odd = api.execution(), 'ä"\\\u0000\n\u2028🚀\u001f'
    metric = POINT | {"name": odd, "labels": [{"name": odd, "value": odd}]}
    api.log(
        executionId=id_, metrics=[metric], tags=[{"name": odd, "value": odd}], customInfo=[{"name": odd, "value": odd}]
    )
    resource = api.resource(id_)
    assert resource["metrics"] == [metric]
    assert resource["tags"] == resource["customInfo"] == [{"name": odd, "value": odd}]


@pytest.mark.parametrize("missing", [{}, {"timestamp": None, "step": None, "labels": None}])
def test_a_point_without_timestamp_gets_the_time_of_the_server(api: Any, missing: dict[str, None]) -> None:
    id_, before = api.execution(), datetime.now(UTC)
    assert api.log(executionId=id_, metrics=[{"name": "m", "value": 1, **missing}]).status_code == 204
    (metric,) = api.resource(id_)["metrics"]
    assert set(metric) == {"name", "value", "timestamp"}
    assert before <= datetime.fromisoformat(metric["timestamp"]) <= datetime.now(UTC)


LONG = "n" * 257


@each_row(
    "part, target",
    [
        ({"metrics": [POINT | {"value": "1"}]}, "metrics[0].value"),
        ({"metrics": [POINT | {"value": None}]}, "metrics[0].value"),
        ({"metrics": [POINT, POINT | {"name": LONG}]}, "metrics[1].name"),
        ({"metrics": [{"value": 1}]}, "metrics[0]"),
        ({"metrics": [POINT | {"step": -1}]}, "metrics[0].step"),
        ({"metrics": [POINT | {"step": 1.5}]}, "metrics[0].step"),
        ({"metrics": [POINT | {"timestamp": "yesterday"}]}, "metrics[0].timestamp"),
        ({"metrics": [POINT | {"timestamp": "2026-03-29T01:00:00"}]}, "metrics[0].timestamp"),
        ({"metrics": [POINT | {"timestamp": "2026-13-29T01:00:00Z"}]}, "metrics[0].timestamp"),
        ({"metrics": [POINT | {"labels": [{"name": "", "value": "x"}]}]}, "metrics[0].labels[0].name"),
        ({"metrics": [POINT | {"labels": [{"name": "x", "value": LONG}]}]}, "metrics[0].labels[0].value"),
        ({"tags": [{"name": LONG, "value": "x"}]}, "tags[0].name"),
        ({"tags": [{"name": "x"}]}, "tags[0]"),
        ({"customInfo": [{"name": "", "value": "x"}]}, "customInfo[0].name"),
        ({"customInfo": [{"name": "x", "value": {"not": "text"}}]}, "customInfo[0].value"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_logged(api: Any, part: dict[str, Any], target: str) -> None:
    id_ = api.execution()
    api.assert_error(api.log(executionId=id_, **part), 400, target)
    assert api.get("/metrics", executionIds=id_).json() == {"count": 0, "resources": []}


def test_names_of_256_characters_and_long_custom_info_pass(api: Any) -> None:
    id_, name, value = api.execution(), "🚀" * 256, "v" * 1_000_000
    tags, info = [{"name": name, "value": name}], [{"name": name, "value": value}]
    assert api.log(executionId=id_, metrics=[POINT | {"name": name}], tags=tags, customInfo=info).status_code == 204
    assert api.resource(id_)["customInfo"] == info


@each_row("text", ["", "{", "[]", '{"executionId": "abc"}', '{"executionId": "a/../b"}', "{}", '"\\ud800"'])
def test_bodies_that_are_not_metric_resources(api: Any, text: str) -> None:
    api.assert_error(api.log_text(text), 400)


def test_nan_is_no_json(api: Any) -> None:
    id_ = api.execution()
    api.assert_error(api.log_text(f'{{"executionId":"{id_}","metrics":[{{"name":"m","value":NaN}}]}}'), 400)


def test_logging_for_an_execution_that_is_not_there(api: Any) -> None:
    api.assert_error(api.log(executionId=str(uuid.uuid4()), metrics=[POINT]), 400, "executionId")


def test_other_content_types_are_refused(api: Any) -> None:
    api.assert_error(api.log_text("{}", "text/plain"), 415, "Content-Type")


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_is_too_large(api: Any, chunked: bool) -> None:
    body: Any = b" " * (16 * 1024 * 1024 + 1)
    if chunked:
        body = iter([body])
    api.assert_error(api.call("PATCH", "/metrics", data=body, headers={"Content-Type": "application/json"}), 413)


def test_delete(api: Any) -> None:
    id_ = api.execution()
    api.log(executionId=id_, metrics=[POINT])
    assert api.call("DELETE", "/metrics", params={"executionId": id_}).status_code == 200
    assert api.get("/metrics", executionIds=id_).json() == {"count": 0, "resources": []}
    api.assert_error(api.call("DELETE", "/metrics", params={"executionId": id_}), 404)
    api.assert_error(api.call("DELETE", "/metrics"), 400, "executionId")


def test_the_answer_is_json_by_its_content_type(api: Any) -> None:
    answer = api.get("/metrics", executionIds=api.execution())
    assert answer.headers["Content-Type"] == "application/json"
    assert json.loads(answer.content) == {"count": 0, "resources": []}
