"""Points with members that cannot be read, through every resource: null, last, left out and warned of; never an error."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest

from tests.integration.service.conftest import RUN, Service
from tests.rows import each_row

AT = "2026-03-29T01:00:0{}Z"
ODD: list[dict[str, Any]] = [
    {"name": "loss", "value": 3, "timestamp": AT.format(1), "step": -2},
    {"name": "loss", "value": "much", "timestamp": AT.format(2), "step": 1},
    {"name": "loss", "value": 5, "timestamp": 1774746003, "step": 1.5},
    {"name": "loss", "value": 2, "timestamp": AT.format(4), "step": 4},
    {"name": "loss", "step": 5},
]
CODES = {"unreadable-timestamp": 2, "unreadable-step": 1, "unreadable-value": 2}


def log(service: Service, *points: dict[str, Any]) -> None:
    service.runtime.say("metrics", 200, {"resources": [{"executionId": "run1", "metrics": list(points)}]})


def log_odd_moments(service: Service, *points: dict[str, Any]) -> None:
    """A resource whose own two timestamps cannot be read either."""
    odd = {"executionId": "run1", "createdAt": "soon", "modifiedAt": 5, "metrics": list(points)}
    service.runtime.say("metrics", 200, {"resources": [odd]})
    service.token = service.issuer.mint(roles=["scenario_metric_viewer", "scenario_job_viewer"])


@pytest.fixture
def odd(service: Service) -> Service:
    log(service, *ODD)
    return service


def read(service: Service, path: str) -> Any:
    answer = service.get(path)
    assert answer.status_code == 200, answer.data
    return json.loads(answer.data)


def warnings_of(answer: Any) -> dict[str, int]:
    return {one["code"]: one["count"] for one in answer["warnings"]}


def test_the_others_are_given_as_they_are(odd: Service) -> None:
    found = read(odd, RUN)
    assert [(one["value"], one["timestamp"], one["step"]) for one in found["metrics"]] == [
        (3, AT.format(1), -2),
        (None, AT.format(2), 1),
        (5, None, None),
        (2, AT.format(4), 4),
        (None, None, 5),
    ]
    assert warnings_of(found) == CODES
    assert "1,000 digits" in next(one["detail"] for one in found["warnings"] if one["code"] == "unreadable-step")


@each_row("query, values", [
        ("sort=value", [2, 3, 5, None, None]), ("sort=-value", [5, 3, 2, None, None]),
        ("sort=step", [3, None, 2, None, 5]), ("sort=-step", [None, 2, None, 3, 5]),
        ("sort=-timestamp", [2, None, 3, 5, None]), ("minStep=-2", [3, None, 2, None]), ("maxStep=-1", [3]),
        ("minStep=-3&maxStep=-2", [3]), ("minStep=-1", [None, 2, None]), ("since=2026-03-29T01:00:00Z", [3, None, 2]),
    ])  # fmt: skip
def test_null_comes_last_and_lies_outside_of_all_bounds(odd: Service, query: str, values: list[int | None]) -> None:
    assert [one["value"] for one in read(odd, f"{RUN}?{query}")["metrics"]] == values


def test_tables_have_empty_cells_and_lines_null(odd: Service) -> None:
    _, *rows = csv.reader(io.StringIO(odd.get(Accept="text/csv").data.decode(), newline=""))
    assert [(value, step) for _, value, _, step in rows] == [("3", "-2"), ("", "1"), ("5", ""), ("2", "4"), ("", "5")]
    assert [row[2] == "" for row in rows] == [False, False, True, False, True]
    lines = odd.get(Accept="application/x-ndjson").data.splitlines()
    assert [json.loads(line) for line in lines] == read(odd, RUN)["metrics"]


def test_series_keep_them_and_calculate_without_them(odd: Service) -> None:
    found = read(odd, f"{RUN}/series")
    (series,) = found["series"]
    assert [one["value"] for one in series["points"]] == [3, None, 2, None, 5]
    assert (series["count"], series["min"]["value"], series["max"]["value"]) == (5, 2, 5)
    assert series["mean"] == pytest.approx(10 / 3)
    assert warnings_of(found) == CODES
    assert read(odd, f"{RUN}/series?points=2")["series"][0]["downsampled"]


def test_only_the_metric_resource_warns_of_its_own_timestamps(service: Service) -> None:
    log_odd_moments(service, ODD[0])
    found = read(service, RUN)
    assert (found["createdAt"], found["modifiedAt"], warnings_of(found)) == (None, None, {"unreadable-timestamp": 2})
    for path in (f"{RUN}/series", "/points?run=run1", "/comparisons?run=run1&run=run2"):
        assert "warnings" not in read(service, path), path


def test_answers_with_points_warn_of_these_only(service: Service) -> None:
    log_odd_moments(service, *ODD)
    assert warnings_of(read(service, RUN)) == CODES | {"unreadable-timestamp": 4}
    for path in (f"{RUN}/series", "/points?run=run1", "/comparisons?run=run1&run=run2"):
        assert warnings_of(read(service, path)) == CODES, path


@each_row("kind", ["line", "scatter", "column", "bar", "heatmap"])
def test_charts_leave_out_what_has_no_value_and_say_so(odd: Service, kind: str) -> None:
    made = read(odd, f"{RUN}/chart?type={kind}")
    assert {one["at"]: one["text"] for one in made["data"]["values"]} == {"-2": "3", "4": "2"}
    assert "2 without a value, not drawn" in str(made["title"]["subtitle"])
    assert "1 without a step, not drawn" in str(made["title"]["subtitle"])


def test_nothing_but_points_without_a_value_is_no_chart(service: Service) -> None:
    log(service, ODD[1])
    problem = json.loads(service.get(f"{RUN}/chart").data)
    assert problem["errors"] == [{"parameter": "x", "detail": "none of these points has a value"}]
    series = read(service, f"{RUN}/series")["series"][0]
    assert (series["min"], series["max"], series["mean"], series["count"]) == (None, None, None, 1)


def test_where_runs_are_joined_by_step_a_point_without_a_timestamp_counts_only_alone(service: Service) -> None:
    log(
        service,
        {"name": "loss", "value": 1, "timestamp": None, "step": 1},
        {"name": "loss", "value": 2, "timestamp": AT.format(2), "step": 1},
        {"name": "loss", "value": 3, "timestamp": AT.format(1), "step": 1},
        {"name": "loss", "value": 4, "timestamp": "soon", "step": 1},
        {"name": "loss", "value": 5, "timestamp": None, "step": 2},
        {"name": "loss", "value": 6, "timestamp": None, "step": 2},
    )
    service.token = service.issuer.mint(roles=["scenario_metric_viewer", "scenario_job_viewer"])
    found = read(service, "/comparisons?run=run1&run=run2&align=step&metric=loss")
    assert (found["aligned"][0]["steps"], found["aligned"][0]["values"]) == ([1, 2], [[2, 6], [None, None]])
    table = service.get("/comparisons?run=run1&run=run2&align=step&metric=loss&format=csv").data.decode()
    assert [line.split(",")[-3:] for line in table.splitlines()[-2:]] == [["1", "2", ""], ["2", "6", ""]]


def test_numbers_without_end_pass_through(service: Service) -> None:
    values = ["1" * 50_000, "0." + "3" * 50_000, "-1e999999999999999999999", "1e-999999999999999999999"]
    points = [f'{{"name":"n","value":{value},"timestamp":"{AT.format(1)}","step":1}}' for value in values]
    body = f'{{"resources":[{{"executionId":"run1","metrics":[{",".join(points)}]}}]}}'
    service.runtime.say("metrics", 200, body.encode())
    token = {"Authorization": f"Bearer {service.token}"}
    for path in (RUN, f"{RUN}?sort=value", f"{RUN}/series"):
        answer = service.client.get(path, headers=token)  # the document's judge reads numbers as Python's can be
        assert answer.status_code == 200
        assert all(f'"value":{value}'.encode() in answer.data for value in values)
    assert service.get(f"{RUN}/chart").status_code == 200


def test_runs_are_compared_without_what_cannot_be_read(service: Service) -> None:
    plain = service.runtime.answer

    def answer(path: str, headers: Any = None) -> tuple[int, bytes, float]:
        if "/lm/metrics" not in path:
            return plain(path, headers)
        resources = [{"executionId": "run1", "metrics": ODD[:4]}, {"executionId": "run2", "metrics": ODD[:2]}]
        return 200, json.dumps({"resources": resources}).encode(), 0.0

    service.runtime.answer = answer  # type: ignore[method-assign]
    service.token = service.issuer.mint(roles=["scenario_metric_viewer", "scenario_job_viewer"])
    runs = "?run=run1&run=run2"
    found = read(service, "/comparisons" + runs)
    assert [one["value"] for one in found["metrics"][0]["last"]] == [2, None]
    assert warnings_of(found) == {"unreadable-timestamp": 1, "unreadable-step": 1, "unreadable-value": 2}
    drawn = read(service, f"/comparisons/chart{runs}&metric=loss&against=run")
    assert [one["text"] for one in drawn["data"]["values"]] == ["2"]
    assert "Not drawn: run2 (its last value cannot be read)" in str(drawn["title"]["subtitle"])
    steps = read(service, f"/comparisons/chart{runs}&metric=loss")
    assert "2 without a value, not drawn" in str(steps["title"]["subtitle"])
