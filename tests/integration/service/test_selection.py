"""Filters, orders and formats over HTTP."""

from __future__ import annotations

import csv
import io
import json

import pytest

from tests.integration.service.conftest import RUN, Service
from tests.rows import each_row

POINTS = [
    {"name": "loss", "value": 0.5, "timestamp": "2026-03-29T01:00:00.10Z", "step": 1},
    {"name": "Loss", "value": 9007199254740993, "timestamp": "2026-03-29T01:00:01Z", "step": 2},
    {"name": "accuracy", "value": -1.5, "timestamp": "2026-03-29T01:00:02Z", "labels": [{"name": "a", "value": "b:c"}]},
]
INFO = [{"name": "matrix", "value": '{"a": 0.10}'}, {"name": "note", "value": "plain"}]


@pytest.fixture(autouse=True)
def _points(service: Service) -> None:
    service.runtime.say("metrics", 200, {"resources": [{"executionId": "run1", "metrics": POINTS, "customInfo": INFO}]})


@each_row("query, steps", [
        ("name=loss&name=accuracy", [1, None]), ("search=LOSS", [1, 2]), ("label=a:b:c", [None]), ("label=a", [None]),
        ("minStep=2", [2]), ("maxStep=1", [1]), ("since=2026-03-29T03:00:01%2B02:00", [2, None]),
        ("until=2026-03-29T03:00:00.1+02:00", [1]), ("search=nothing", []), ("search=LOSS&sort=-value", [2, 1]),
    ])  # fmt: skip
def test_what_is_left_out_is_said(service: Service, query: str, steps: list[int | None]) -> None:
    found = json.loads(service.get(f"{RUN}?{query}", Cache_Control="no-cache").data)
    assert [point["step"] for point in found["metrics"]] == steps
    assert found["page"] == {"total": len(steps), "next": None}


@each_row("query, parameters", [
        ("minStep=2&maxStep=1", {"minStep"}), ("since=2026-03-29T01:00:01Z&until=2026-03-29T01:00:00Z", {"since"}),
        ("sort=name,-name", {"sort"}), ("sort=colour", {"sort"}), ("sort=", {"sort"}), ("sort=--step", {"sort"}),
        ("minStep=2&maxStep=1&since=2026-03-29T01:00:01Z&until=2026-03-29T01:00:00Z&limit=0&foo=1&timezone=Mars&cursor=x",
         {"minStep", "since", "limit", "foo", "timezone", "cursor"}),
        ("minStep=1.5&maxStep=x&since=now&until=", {"minStep", "maxStep", "since", "until"}),
    ])  # fmt: skip
def test_faults_are_named(service: Service, query: str, parameters: set[str]) -> None:
    answer = service.get(f"{RUN}?{query}")
    assert answer.status_code == 400
    assert {fault["parameter"] for fault in json.loads(answer.data)["errors"]} == parameters


@each_row("accept, given", [
        ("application/json; charset=utf-8", "application/json"), ("text/csv; charset=utf-8; header=present", "text/csv"),
        ("text/csv;charset=utf-8;q=0.9, application/json;q=0.1", "text/csv"), ("text/*;q=0.5, application/*;q=0.1", "text/csv"),
        ("application/json;q=0, */*", "text/csv"), ("text/csv;q=0.5, application/x-ndjson;q=0.7", "application/x-ndjson"),
    ])  # fmt: skip
def test_what_the_client_likes_best_is_given(service: Service, accept: str, given: str) -> None:
    assert service.get(RUN, Accept=accept).content_type.split(";")[0] == given


@pytest.mark.parametrize("accept", ["text/csv", "application/x-ndjson"])
def test_tables_too_say_that_points_are_left_out(service: Service, accept: str) -> None:
    for query, total in {
        "": None,
        "?sort=-step": None,
        "?name=loss": "1",
        "?limit=2": "3",
        "?limit=2&search=l": "2",
    }.items():
        for _ in ("made", "replayed"):
            answer = service.get(RUN + query, Accept=accept)
            assert answer.headers.get("X-Total-Count") == total, query
    assert "X-Total-Count" not in service.get(RUN + "?name=loss").headers


def test_formats(service: Service) -> None:
    table = service.get(
        RUN + "?timezone=Asia/Tokyo", Accept="text/csv, application/json;q=0.5", Cache_Control="no-cache"
    )
    assert table.headers["Content-Type"] == "text/csv; charset=utf-8; header=present"
    assert table.headers["Content-Disposition"] == 'attachment; filename="run1-metrics.csv"'
    header, first, *_ = csv.reader(io.StringIO(table.data.decode(), newline=""))
    assert header == ["name", "value", "timestamp", "step", "a"]
    assert first == ["loss", "0.5", "2026-03-29T10:00:00.10+09:00", "1", ""]
    lines = service.get(Accept="application/x-ndjson")
    assert lines.headers["Content-Type"] == "application/x-ndjson"
    whole = json.loads(service.get().data)
    assert [json.loads(line) for line in lines.data.splitlines()] == whole["metrics"]
    assert "page" not in whole


def test_each_combination_has_its_tag(service: Service) -> None:
    asked = [("", "*/*"), ("?search=l", "*/*"), ("?sort=name", "*/*"), ("", "text/csv"), ("", "application/x-ndjson")]
    tags = {service.get(RUN + query, Accept=accept).headers["ETag"] for query, accept in asked}
    assert len(tags) == len(asked)


def test_custom_info_is_parsed_on_request(service: Service) -> None:
    path = "/runs/run1/custom-info"
    answer = service.get(path + "?parse=true", Cache_Control="no-cache")
    assert b'"parsed":{"a": 0.10}' in answer.data
    assert json.loads(answer.data)["customInfo"][1] == INFO[1]
    assert json.loads(service.get(path).data)["customInfo"] == INFO
    assert service.get(path + "?parse=yes").status_code == 400


@each_row("accept", ["application/json", "text/csv", "application/x-ndjson"])
@each_row("path", [RUN, f"{RUN}?sort=timestamp", f"{RUN}?until=2026-01-01T00:00:00Z"])
def test_a_time_of_the_year_zero_is_given_as_it_is_in_every_zone(service: Service, path: str, accept: str) -> None:
    point = {"name": "loss", "value": 1, "timestamp": "0000-01-01T00:00:00Z"}
    service.runtime.say("metrics", 200, {"resources": [{"executionId": "run1", "metrics": [point, point]}]})
    for zone in ("UTC", "Asia/Tokyo", "-05:00"):
        answer = service.get(path, Accept=accept, Time_Zone=zone)
        assert (answer.status_code, answer.data.count(b"0000-01-01T00:00:00Z")) == (200, 2)


@each_row("query", ["", "?timezone=Asia/Tokyo"])
@each_row("zone", ["Mars/Base", "", "+25:00"])
def test_a_header_that_names_no_zone_is_refused_whatever_the_query_names(
    service: Service, query: str, zone: str
) -> None:
    for _ in range(2):
        assert service.get(RUN + query).status_code == 200
        answer = service.get(RUN + query, Time_Zone=zone)
        assert [fault["parameter"] for fault in json.loads(answer.data)["errors"]] == ["Time-Zone"]


@each_row("since, steps", [
        ("2026-03-29T01:00:01.000000%2B0000", [2, None]), ("2026-03-29T01:00:01.000000+0000", [2, None]),
        ("2026-03-28T23:00:02.000000-0200", [None]), ("2026-03-29T03:00:02+0200", [None]),
    ])  # fmt: skip
def test_instants_are_read_as_generated_clients_write_them(
    service: Service, since: str, steps: list[int | None]
) -> None:
    found = json.loads(service.get(f"{RUN}?since={since}").data)
    assert [point["step"] for point in found["metrics"]] == steps


@each_row("since", ["2026-03-29T01:00:01", "2026-03-290000", "2026-03-29T01:00:01+00000", "+0000", "20260329"])
def test_what_is_no_instant_is_named(service: Service, since: str) -> None:
    problem = json.loads(service.get(f"{RUN}?since={since}").data)
    assert [fault["parameter"] for fault in problem["errors"]] == ["since"]


@each_row("zone, name", [
        ("%2B0200", "+02:00"), ("+0200", "+02:00"), ("+02:00", "+02:00"), ("-0330", "-03:30"),
        ("Etc/GMT+2", "Etc/GMT+2"), ("Etc/GMT%2B2", "Etc/GMT+2"), ("Etc/GMT 2", "Etc/GMT+2"),
    ])  # fmt: skip
def test_a_zone_is_called_by_its_own_name(service: Service, zone: str, name: str) -> None:
    by_query = service.get(f"{RUN}?timezone={zone}")
    by_header = service.get(RUN, Time_Zone=zone.replace("%2B", "+"))
    for answer in (by_query, by_header):
        assert json.loads(answer.data)["timezone"] == name


def test_factory_is_no_zone(service: Service) -> None:
    assert service.get(f"{RUN}?timezone=Factory").status_code == 400
    assert service.get(RUN, Time_Zone="Factory").status_code == 400
    claimed = service.issuer.mint(roles=["scenario_metric_viewer"], zone="Factory")
    assert json.loads(service.get(RUN, claimed).data)["timezone"] == "UTC"
