"""What a person does with a run: find it, look at it, read its metric resource, compare it."""

from __future__ import annotations

import importlib.util
import json
import re
from typing import Any

import pytest
import requests

from tests.servers.demo import Demo
from tests.web.conftest import FIRST, SECOND, THIRD, Watched, scrolls_sideways, signed_in


def test_the_printed_address_signs_in_and_leaves_no_token_in_it(open_page, demo: Demo) -> None:
    watched = open_page()
    page = watched.open(f"#token={demo.ready['token']}")
    assert page.url == f"{demo.ready['service']}/ui/"
    assert page.locator("tbody tr").count() == 10
    page.reload()
    watched.ready()
    assert page.locator("tbody tr").count() == 10
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("heading", name="View the metric resource of a run").wait_for()
    assert page.evaluate("sessionStorage.length + localStorage.length") == 0


def first_point(demo: Demo, **query: str) -> dict[str, Any]:
    """The first point of the first run as the API gives it, numbers as they are written."""
    answer = requests.get(
        f"{demo.ready['service']}/runs/{FIRST}/metric-resource",
        params={"sort": "name,step", "limit": "1", **query},
        headers={"Authorization": f"Bearer {demo.ready['token']}"},
        timeout=30,
    )
    point: dict[str, Any] = json.loads(answer.text, parse_float=str)["metrics"][0]
    return point


def test_by_mouse(reader: Watched, demo: Demo) -> None:
    """Find the run, details, *Metric Resource*, tags, custom info, compare; back and forward work."""
    given = first_point(demo, timezone="Europe/Berlin")
    page = reader.open()
    page.get_by_role("link", name=FIRST).click()
    reader.ready()
    assert page.get_by_role("row", name="learning_rate 0.001").count() == 1
    page.get_by_role("link", name="Metric Resource").click()
    page.get_by_role("heading", name="Loss", exact=True).wait_for()
    page.locator("metric-chart svg").first.wait_for()
    page.get_by_role("link", name="Table", exact=True).click()
    first = page.locator("tr.group + tr").first
    date, clock = given["timestamp"].removesuffix("+01:00").split("T")
    assert first.locator("td").nth(1).inner_text() == str(given["value"])
    assert first.locator("td").nth(2).inner_text() == f"{date} {clock} +01:00"
    assert "model: digits-network-32" in first.inner_text()
    page.get_by_role("link", name="Tags (2)").click()
    assert page.locator(".tag").all_inner_texts() == ["Artifact Group digits", "Algorithm MLPClassifier"]
    page.get_by_role("link", name="Custom Info (1)").click()
    matrix = page.get_by_role("table", name="Count")
    assert matrix.locator("tbody tr").first.locator("td").first.inner_text() == "43"
    page.go_back()
    page.locator(".tag").first.wait_for()
    page.go_forward()
    matrix.wait_for()
    page.get_by_role("link", name="Runs", exact=True).click()
    for run in (FIRST, SECOND, THIRD):
        page.get_by_role("checkbox", name=f"Compare {run}").check()
    page.get_by_role("button", name="Compare (3)").click()
    page.get_by_role("row", name="learning_rate").wait_for()
    assert page.get_by_role("row", name="learning_rate").locator("td").all_inner_texts() == ["0.001", "0.01", "0.1"]


@pytest.mark.slow
def test_on_a_telephone(reader: Watched) -> None:
    """The same at 320 px, where nothing but tables scrolls sideways."""
    reader.page.set_viewport_size({"width": 320, "height": 640})
    page = reader.open()
    page.get_by_text("Settings").click()
    page.get_by_label("Time zone").wait_for()
    steps = (
        (page.get_by_role("link", name=FIRST, exact=True), page.get_by_role("row", name="learning_rate 0.001")),
        (
            page.get_by_role("link", name="Metric Resource", exact=True),
            page.get_by_role("heading", name="Loss", exact=True),
        ),
        (page.get_by_role("link", name="Tags (2)", exact=True), page.locator(".tag").first),
        (page.get_by_role("link", name="Runs", exact=True), page.get_by_role("heading", name="Runs 10")),
        (
            page.get_by_role("checkbox", name=f"Compare {FIRST}", exact=True),
            page.get_by_role("button", name="Compare (1)"),
        ),
        (
            page.get_by_role("checkbox", name=f"Compare {SECOND}", exact=True),
            page.get_by_role("button", name="Compare (2)"),
        ),
        (page.get_by_role("button", name="Compare (2)", exact=True), page.get_by_role("row", name="learning_rate")),
    )
    for target, next_ in steps:
        target.click()
        next_.wait_for()
        assert not scrolls_sideways(page), page.url
    page.get_by_text("Settings").click()
    page.get_by_label("Time zone").wait_for(state="hidden")
    reader.page.set_viewport_size({"width": 1280, "height": 900})
    page.get_by_label("Time zone").wait_for()  # there is room: it is not folded


@pytest.mark.slow
def test_the_address_is_the_view(reader: Watched, open_page, demo: Demo) -> None:
    given = first_point(demo, timezone="Asia/Tokyo", search="loss")
    assert given["timestamp"].endswith("+09:00")
    page = reader.open(f"?run={FIRST}&tab=metrics&as=table&zone=Asia%2FTokyo&search=loss")
    assert page.locator("tr.group + tr td time").first.get_attribute("datetime") == given["timestamp"]
    shared = signed_in(open_page(), demo.ready["token"]).open(page.url.removeprefix(f"{demo.ready['service']}/ui/"))
    assert shared.locator("table").inner_text() == page.locator("table").inner_text()


@pytest.mark.slow
def test_models_against_a_baseline(reader: Watched, demo: Demo) -> None:
    """Each column names its model; the differences are the API's, the baseline's column says what it is."""
    answer = requests.get(
        f"{demo.ready['service']}/comparisons",
        params={"run": [FIRST, THIRD], "baseline": FIRST},
        headers={"Authorization": f"Bearer {demo.ready['token']}"},
        timeout=30,
    )
    loss = json.loads(answer.text, parse_float=str)["models"][0]["metrics"][0]
    page = reader.open(f"?compare={FIRST}&compare={THIRD}&of=models&baseline={FIRST}")
    page.get_by_role("heading", name="digits-network-32, digits-network-64").wait_for()
    table = page.get_by_role("table", name="Metrics of digits-network-32, digits-network-64")
    assert table.locator("thead th", has_text="baseline").count() == 1
    assert table.locator("tbody tr").first.locator("td").all_inner_texts() == ["digits-network-32", "digits-network-64"]
    row = table.get_by_role("row", name=loss["name"]).first
    before, after = row.locator("td").all_inner_texts()
    assert before.splitlines() == [loss["last"][0]["value"], "0 (0%)"]
    assert after.splitlines()[0] == loss["last"][1]["value"]
    percent = f"{100 * float(loss['relative'][1]):.3g}"
    assert after.splitlines()[1] == f"{loss['difference'][1]} ({percent}%)"
    page.get_by_label("Value").select_option("min")
    page.get_by_text("Only last values are compared with the baseline.").wait_for()
    assert table.get_by_text("%").count() == 0
    page.get_by_role("checkbox", name=f"Show {THIRD[:8]}").uncheck()
    page.get_by_role("heading", name="digits-network-32", exact=True).wait_for()


@pytest.mark.slow
def test_downloads(reader: Watched) -> None:
    """What is filtered is what is saved; each format has all of it."""
    page = reader.open(f"?run={FIRST}&tab=metrics&as=table&search=accuracy")
    has_parquet = importlib.util.find_spec("pyarrow") is not None  # of the extra `table`
    for format_ in ("CSV", "NDJSON", *(["Parquet"] if has_parquet else [])):
        with page.expect_download() as started:
            page.get_by_role("button", name=format_, exact=True).click()
        content = started.value.path().read_bytes()
        assert started.value.suggested_filename.endswith(f".{format_.lower()}")
        assert b"Accuracy" in content
        assert b"Loss" not in content


@pytest.mark.slow
def test_a_format_that_is_not_installed_is_explained(reader: Watched) -> None:
    detail = "Parquet and Arrow need the extra 'table' of this service, which is not installed here"
    document = json.dumps(
        {"type": "urn:metric-resource:not-acceptable", "title": "No", "status": 406, "detail": detail}
    )
    refusal = {"status": 406, "content_type": "application/problem+json", "body": document}
    reader.page.route(re.compile("format=parquet"), lambda route: route.fulfill(**refusal))
    page = reader.open(f"?run={FIRST}&tab=metrics&as=table")
    page.get_by_role("button", name="Parquet").click()
    page.get_by_role("alert").wait_for()
    assert page.get_by_role("alert").inner_text() == f"Parquet: {detail}"
    assert page.get_by_role("row", name="Loss").first.is_visible()
