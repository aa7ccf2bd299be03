"""Much of everything: runs, metrics, points; and a service that cannot draw."""

from __future__ import annotations

import json
import re
from typing import Any

from tests.web.conftest import FIRST, LARGE, OwnRuns, Watched, point

INSTALL = "Charts need the extra “charts” of the service"


def test_more_runs_than_a_page(reader: Watched, own_runs: OwnRuns) -> None:
    """Those that are checked stay so from page to page."""
    runs = [own_runs.start() for _ in range(52)]
    page = reader.open(f"?group={own_runs.group}")
    page.get_by_role("heading", name="Runs 52").wait_for()
    assert page.locator("tbody tr").count() == 50
    page.locator("tbody input").first.check()
    page.get_by_role("link", name="Next page").click()
    page.get_by_role("link", name="First page").wait_for()
    reader.ready()
    assert page.locator("tbody tr").count() == 2
    page.locator("tbody input").first.check()
    page.get_by_role("button", name="Compare (2)").click()
    page.get_by_role("heading", name="Compare 2 runs").wait_for()
    assert len({run for run in runs if run in page.url}) == 2


def test_more_metrics_than_a_screen(reader: Watched, own_runs: OwnRuns) -> None:
    """Charts are read when they come into view; the table folds a name's rows under it."""
    names = [f"metric {number:02d} of the validation set" for number in range(40)]
    run = own_runs.start(metrics=[point(step, name) for name in names for step in (1, 2)])
    asked: list[str] = []
    reader.page.on("request", lambda request: asked.append(request.url) if "/chart?" in request.url else None)
    page = reader.open(own_runs.search(run, "tab=metrics"))
    assert page.locator("figure").count() == 40
    assert 0 < len(asked) < 20
    page.locator("figure").last.scroll_into_view_if_needed()
    page.locator("figure").last.locator("canvas").wait_for()
    reader.visit(own_runs.search(run, "tab=metrics", "as=table"))
    assert page.locator("tr.group").count() == 40
    assert page.locator("tbody tr").count() == 120
    page.get_by_role("button", name=names[0]).click()
    page.get_by_role("button", name=names[0], expanded=False).wait_for()
    assert page.locator("tbody tr").count() == 118


def test_more_points_than_can_be_shown(reader: Watched) -> None:
    page = reader.open(f"?run={LARGE}&tab=metrics")
    page.get_by_role("link", name="Metrics (10,320)").wait_for()
    page.get_by_text(re.compile(r"^\d{3} of 10,200 points")).wait_for()
    reader.visit(f"?run={LARGE}&tab=metrics&as=table")
    page.get_by_text("200 of 10,320 points").wait_for()
    assert page.locator("tbody tr:not(.group)").count() == 200
    first = page.locator("table").inner_text()
    page.get_by_role("link", name="Next page").click()
    page.get_by_role("link", name="First page").wait_for()
    reader.ready()
    assert page.locator("tbody tr:not(.group)").count() == 200
    assert page.locator("table").inner_text() != first


def test_a_service_that_cannot_draw(reader: Watched) -> None:
    """Without the extra, a line says what to install; while its script cannot be had, the picture is the API's."""

    def without(route: Any) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=json.dumps({**answer.json(), "vega": None}))

    reader.page.route(re.compile("/ui/config.json"), without)
    page = reader.open(f"?run={FIRST}&tab=metrics")
    page.get_by_text(INSTALL).first.wait_for()
    assert page.get_by_role("row", name="Last").first.is_visible()  # what the chart says is there as text
    page.unroute(re.compile("/ui/config.json"))
    page.route(re.compile("/ui/vega/"), lambda route: route.abort())
    reader.open(f"?run={FIRST}&tab=metrics")
    picture = page.locator("metric-chart img").first
    picture.wait_for()
    assert "Loss" in (picture.get_attribute("alt") or "")
