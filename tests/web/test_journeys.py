"""What a person does with a run: find it, look at it, read its metric resource, compare it."""

from __future__ import annotations

import json
from typing import Any

import requests

from tests.servers.demo import Demo
from tests.web.conftest import FIRST, SECOND, THIRD, Watched, signed_in


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
    page.locator("metric-chart canvas").first.wait_for()
    page.get_by_role("link", name="Table", exact=True).click()
    first = page.locator("tr.group + tr").first
    date, clock = given["timestamp"].removesuffix("+01:00").split("T")
    assert first.locator("td").nth(1).inner_text() == str(given["value"])
    assert first.locator("td").nth(2).inner_text() == f"{date} {clock} +01:00"
    assert "model: digits-network-32" in first.inner_text()
    page.get_by_role("link", name="Tags (2)").click()
    assert page.locator(".tag").all_inner_texts() == ["Artifact Group\ndigits", "Algorithm\nMLPClassifier"]
    page.get_by_role("link", name="Custom Info (1)").click()
    matrix = page.get_by_role("table", name="Count")
    assert matrix.locator("tbody tr").first.locator("td").first.inner_text() == "43"
    page.go_back()
    page.locator(".tag").first.wait_for()
    page.get_by_role("link", name="Runs", exact=True).click()
    for run in (FIRST, SECOND, THIRD):
        page.get_by_role("checkbox", name=f"Compare {run}").check()
    page.get_by_role("button", name="Compare (3)").click()
    page.get_by_role("row", name="learning_rate").wait_for()
    assert page.get_by_role("row", name="learning_rate").locator("td").all_inner_texts() == ["0.001", "0.01", "0.1"]


def test_the_address_is_the_view(reader: Watched, open_page, demo: Demo) -> None:
    given = first_point(demo, timezone="Asia/Tokyo", search="loss")
    assert given["timestamp"].endswith("+09:00")
    page = reader.open(f"?run={FIRST}&tab=metrics&as=table&zone=Asia%2FTokyo&search=loss")
    assert page.locator("tr.group + tr td time").first.get_attribute("datetime") == given["timestamp"]
    shared = signed_in(open_page(), demo.ready["token"]).open(page.url.removeprefix(f"{demo.ready['service']}/ui/"))
    assert shared.locator("table").inner_text() == page.locator("table").inner_text()
