"""Much of everything: runs, metrics, points; and a service that cannot draw."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.web.conftest import FIRST, LARGE, PICTURES, OwnRuns, Watched, point

pytestmark = pytest.mark.slow

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
    page.locator("figure").first.locator("svg").wait_for()
    assert 0 < len(asked) < 20, asked
    page.locator("figure").last.scroll_into_view_if_needed()
    page.locator("figure").last.locator("svg").wait_for()
    reader.visit(own_runs.search(run, "tab=metrics", "as=table"))
    assert page.locator("tr.group").count() == 40
    assert page.locator("tbody tr").count() == 120
    page.get_by_role("button", name=names[0]).click()
    page.get_by_role("button", name=names[0], expanded=False).wait_for()
    assert page.locator("tbody tr").count() == 118


_TASKS = """
window.rows = [];
window.long = [];
addEventListener('DOMContentLoaded', () => new MutationObserver((changes) => {
  const added = changes.flatMap((change) => [...change.addedNodes]).filter((node) => node instanceof Element);
  const count = added.reduce((sum, node) => sum + (node.matches('tr') ? 1 : node.querySelectorAll('tr').length), 0);
  if (count) rows.push(count);
}).observe(document.body, { childList: true, subtree: true }));
new PerformanceObserver((list) => long.push(...list.getEntries().map(({ duration }) => duration)))
  .observe({ type: 'longtask', buffered: true });
"""
"""Rows that each task adds, and how long tasks of more than 50 ms take."""


def test_rows_come_at_once_and_no_task_has_many(reader: Watched) -> None:
    """Of 10,320 points: the rows wait for no other answer than theirs, and no task of the page makes more than a page."""
    held: list[Any] = []
    over = False

    def hold(route: Any) -> None:
        if over:
            route.continue_()
        else:
            held.append(route)

    reader.page.add_init_script(_TASKS)
    reader.page.route(re.compile(r"/(series|resource-groups|connections)(\?|$)"), hold)
    page = reader.open(f"?run={LARGE}&tab=metrics&as=table", ready=False)
    page.get_by_text("200 of 10,320 points").wait_for()
    assert page.locator("tbody tr:not(.group)").count() == 200
    assert held, "nothing was held back"
    over = True
    for route in held:
        route.continue_()
    page.unroute_all(behavior="wait")
    reader.ready()
    for _ in range(2):
        page.get_by_role("link", name="Next page").click()
        reader.ready()
    rows, tasks = page.evaluate("[rows, long]")
    assert sum(rows) >= 200
    assert max(rows) <= 200 + 10  # a page, the rows of its groups and its header
    PICTURES.mkdir(parents=True, exist_ok=True)
    (PICTURES / "long-tasks.json").write_text(json.dumps({"rows": rows, "milliseconds": tasks}))


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
    pictures: list[str] = []

    def noted(request: Any) -> None:
        if "/chart?" in request.url and "svg" in request.headers["accept"]:
            pictures.append(request.url)

    page.on("request", noted)
    page.route(re.compile("/ui/vega/"), lambda route: route.abort())
    reader.open(f"?run={FIRST}&tab=metrics")
    picture = page.locator("figure", has=page.get_by_role("heading", name="Loss", exact=True)).locator("img")
    assert "Line chart: Loss by step" in (picture.get_attribute("alt") or "")
    reader.ready()
    page.set_viewport_size({"width": 1284, "height": 900})
    reader.ready()
    assert len(pictures) == len(set(pictures)) == 3
