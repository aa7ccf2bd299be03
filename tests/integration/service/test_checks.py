"""``/runs/{runId}/checks``: thresholds as a question."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.integration.service.conftest import Service
from tests.rows import each_row


@pytest.fixture
def logged(service: Service) -> Service:
    points = [
        {"name": name, "value": value, "timestamp": "2026-03-29T01:00:00Z", "step": step, "labels": labels}
        for name, value, step, labels in [
            ("Loss", 0.1, 1, []),
            ("Loss", 0.2, 2, [{"name": "dataset", "value": "validation"}]),
            ("Loss", 0.3, 3, []),
            ("Accuracy", 0.97, 7, []),
            ("Big", 9007199254740993, 1, []),
        ]
    ]
    service.runtime.say("metrics", 200, {"resources": [{"executionId": "run1", "metrics": points}]})
    return service


def ask(service: Service, *expected: str) -> Any:
    query = "&".join(f"expect={one}" for one in expected)
    answer = service.get(f"/runs/run1/checks?{query}")
    assert answer.status_code == 200, answer.data
    return json.loads(answer.data, parse_float=str)


def test_all_checks_pass_or_the_run_does_not(logged: Service) -> None:
    found = ask(logged, "Accuracy:last%3E=0.9", "Loss:mean==0.2", "Loss[dataset=validation]:count==1")
    assert found == {
        "runId": "run1",
        "passed": True,
        "checks": [
            {
                "expect": "Accuracy:last>=0.9",
                "passed": True,
                "value": "0.97",
                "detail": "last of Accuracy is 0.97 at step 7, which is >= 0.9",
            },
            {
                "expect": "Loss:mean==0.2",
                "passed": True,
                "value": "0.2",
                "detail": "mean of Loss is 0.2, which is == 0.2",
            },
            {
                "expect": "Loss[dataset=validation]:count==1",
                "passed": True,
                "value": 1,
                "detail": "count of Loss[dataset=validation] is 1, which is == 1",
            },
        ],
    }
    failed = ask(logged, "Accuracy:last>=0.9", "Loss:last<0.3")
    assert (failed["passed"], [one["passed"] for one in failed["checks"]]) == (False, [True, False])


def test_what_is_expected_is_distinguished_from_what_only_looks_like_it(logged: Service) -> None:
    two = ask(logged, "Loss:min<1", "Loss:max<1")
    one = ask(logged, "Loss:min<1%00Loss:max<1")
    assert [len(found["checks"]) for found in (two, one)] == [2, 1]


def test_names_with_half_a_surrogate_pair_are_given_as_logged(service: Service) -> None:
    cut = {"name": "cut\ud83d", "value": 1, "timestamp": "2026-03-29T01:00:00Z", "step": 1, "labels": []}
    whole = {**cut, "name": "whole", "labels": [{"name": "emoji", "value": "\ud83d"}]}
    service.runtime.say("metrics", 200, {"resources": [{"executionId": "run1", "metrics": [cut, whole]}]})
    of_name, of_labels = ask(service, "Loss:min<1", "whole[]:min<1")["checks"]
    assert "cut\ud83d" in of_name["detail"]
    assert "[emoji=\ud83d]" in of_labels["detail"]


def test_numbers_are_compared_digit_for_digit(logged: Service) -> None:
    found = ask(logged, "Big:last==9007199254740993", "Big:last==9007199254740992", "Big:last<9007199254740993.0000001")
    assert [one["passed"] for one in found["checks"]] == [True, False, True]
    assert found["checks"][0]["value"] == 9007199254740993


def test_a_metric_that_was_not_logged_does_not_pass_and_says_so(logged: Service) -> None:
    (check,) = ask(logged, "F1:last>=0")["checks"]
    assert (check["passed"], check["value"]) == (False, None)
    assert check["detail"] == "metric F1 was not logged; logged: Accuracy, Big, Loss"


@each_row("query", ["", "expect=", "expect=Loss", "expect=Loss:min=1", "&".join(["expect=a:min<1"] * 101)])
def test_what_is_no_expectation_is_named(logged: Service, query: str) -> None:
    answer = logged.get(f"/runs/run1/checks?{query}")
    assert answer.status_code == 400
    assert {fault["parameter"] for fault in json.loads(answer.data)["errors"]} == {"expect"}
    assert not logged.runtime.asked["metrics"]


def test_an_unknown_run_is_not_found_and_a_role_is_needed(logged: Service) -> None:
    logged.runtime.say("metrics", 200, {"resources": []})
    logged.runtime.say("execution", 404, {})
    assert logged.get("/runs/nosuchrun/checks?expect=a:min<1").status_code == 404
    assert (
        logged.get("/runs/run1/checks?expect=a:min<1", logged.issuer.mint(roles=["scenario_job_viewer"])).status_code
        == 403
    )


def test_what_is_checked_is_distinguished_and_kept(logged: Service) -> None:
    first = logged.get("/runs/run1/checks?expect=Loss:min<1")
    other = logged.get("/runs/run1/checks?expect=Loss:min<2")
    again = logged.get("/runs/run1/checks?expect=Loss:min<1", If_None_Match=first.headers["ETag"])
    assert first.headers["ETag"] != other.headers["ETag"]
    assert again.status_code == 304
    assert logged.runtime.asked["metrics"] == 1
