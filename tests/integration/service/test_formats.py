"""The query's ``format``: an answer's format by name, for links and clients that cannot set headers."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.integration.service.conftest import RUN, Service, Surroundings
from tests.rows import each_row

CHART = f"{RUN}/chart"
COMPARED = "/comparisons?run=run1&run=run2"
CSV = "text/csv; charset=utf-8; header=present"
MARK = "\ufeff".encode()
VEGA_LITE = "application/vnd.vegalite.v6+json"


@pytest.fixture(scope="module")
def service(shared_service: Service) -> Service:
    shared_service.token = shared_service.issuer.mint(roles=["scenario_metric_viewer", "scenario_job_viewer"])
    return shared_service


@each_row("path, format_, content_type", [
        (RUN, "json", "application/json"), (RUN, "csv", CSV), (RUN, "csv-excel", CSV), (RUN, "ndjson", "application/x-ndjson"),
        (CHART, "vegalite", VEGA_LITE), (CHART, "svg", "image/svg+xml"), (CHART, "png", "image/png"),
        ("/runs/run1/tags", "json", "application/json"), ("/runs/run1", "json", "application/json"),
        ("/capabilities", "json", "application/json"), (COMPARED, "json", "application/json"),
        (COMPARED.replace("?", "/chart?metric=loss&"), "svg", "image/svg+xml"),
    ])  # fmt: skip
@each_row("accept", [None, "application/xml", "text/csv, image/png, application/json;q=0.1"])
def test_it_goes_before_accept(
    service: Service, path: str, format_: str, content_type: str, accept: str | None
) -> None:
    asked = f"{path}{'&' if '?' in path else '?'}format={format_}"
    headers = {} if accept is None else {"Accept": accept}
    for _ in ("made", "replayed"):
        answer = service.get(asked, **headers)
        assert (answer.status_code, answer.content_type) == (200, content_type)
        assert answer.data.startswith(MARK) == (format_ == "csv-excel")


@each_row("path, format_, possible", [
        (RUN, "svg", "json csv csv-excel ndjson"), (RUN, "xlsx", "json csv csv-excel ndjson"),
        (RUN, "", "json csv csv-excel ndjson"), (RUN, "CSV", "json csv csv-excel ndjson"), (CHART, "json", "vegalite svg png"),
        ("/runs/run1/tags", "csv", "json"), ("/capabilities", "csv", "json"),
    ])  # fmt: skip
def test_a_format_that_the_resource_has_not_is_not_acceptable(
    service: Service, path: str, format_: str, possible: str
) -> None:
    answer = service.get(f"{path}?format={format_}", Accept="*/*")
    problem = json.loads(answer.data)
    assert (answer.status_code, problem["type"]) == (406, "urn:metric-resource:not-acceptable")
    for name in possible.split():
        assert f"(format={name})" in problem["detail"]


def test_what_is_wrong_otherwise_is_named_first(service: Service) -> None:
    for query in ("format=xlsx&limit=0", "format=csv&format=json&limit=0"):
        answer = service.get(f"{RUN}?{query}")
        assert answer.status_code == 400
        assert "limit" in {fault["parameter"] for fault in json.loads(answer.data)["errors"]}
    assert {fault["parameter"] for fault in json.loads(answer.data)["errors"]} == {"format", "limit"}


def test_each_format_has_its_tag_and_its_place_among_answers_given_again(service: Service) -> None:
    formats = ("json", "csv", "csv-excel", "ndjson")
    for _ in ("made", "replayed"):
        answers = {name: service.get(f"{RUN}?format={name}") for name in formats}
        assert len({answer.headers["ETag"] for answer in answers.values()}) == len(formats)
        assert len({answer.data for answer in answers.values()}) == len(formats)
    assert answers["csv-excel"].data == MARK + answers["csv"].data
    assert answers["csv"].headers["ETag"] == service.get(Accept="text/csv").headers["ETag"], (
        "one representation, one tag"
    )
    tag = answers["csv"].headers["ETag"]
    assert service.get(f"{RUN}?format=csv", If_None_Match=tag).status_code == 304
    assert service.get(f"{RUN}?format=csv-excel", If_None_Match=tag).status_code == 200


def test_a_table_is_saved_under_a_name(service: Service) -> None:
    for name in ("csv", "csv-excel"):
        disposition = service.get(f"{RUN}?format={name}").headers["Content-Disposition"]
        assert disposition == 'attachment; filename="run1-metrics.csv"'
    assert "Content-Disposition" not in service.get(f"{RUN}?format=json").headers


@pytest.fixture
def own(surroundings: Surroundings) -> Iterator[Service]:
    with surroundings.service() as service:
        yield service


def test_pages_keep_their_format_and_can_change_it(own: Service) -> None:
    service = own
    point = {"name": "loss", "value": 1, "timestamp": "2026-03-29T01:00:00Z"}
    service.runtime.say("metrics", 200, {"resources": [{"executionId": "run1", "metrics": [point] * 3}]})
    following = service.get(f"{RUN}?limit=2&format=csv").headers["Link"]
    assert "format=csv" in following
    cursor = json.loads(service.get(f"{RUN}?limit=2&format=json").data)["page"]["next"].partition("cursor=")[2]
    assert service.get(f"{RUN}?limit=2&format=csv&cursor={cursor}").data.count(b"\r\n") == 2
