"""A running run is followed by its events, by polling where they fail, and not at all where nobody looks."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from testing.waiting import eventually
from tests.servers.demo import Demo
from tests.web.conftest import RUNNING, OwnRuns, Watched, point, signed_in

EVENTS = re.compile(r"/metric-resource/events$")


def state(identifier: str) -> str:
    return f'id: {identifier}\nevent: state\ndata: {{"status":"RUNNING","count":1,"timezone":"UTC"}}\n\n'


def end(reason: str) -> str:
    return f'id: end\nevent: end\ndata: {{"reason":"{reason}"}}\n\n'


@pytest.mark.slow
def test_new_points_are_counted_a_pause_holds_and_the_end_is_said(reader: Watched, own_runs: OwnRuns) -> None:
    asked: list[Any] = []
    reader.page.on("request", lambda request: asked.append(request) if EVENTS.search(request.url) else None)
    run = own_runs.start(metrics=[point(1)], tags=[{"name": "t", "value": "v"}])
    with reader.page.expect_response(EVENTS):
        page = reader.open(own_runs.search(run, "tab=metrics"))
    page.get_by_text("Live: 0 new points since").wait_for()
    own_runs.log(run, metrics=[point(2), point(3)])
    page.get_by_text("Live: 2 new points since").wait_for()
    page.get_by_role("link", name="Metrics (3)").wait_for()
    page.get_by_role("button", name="Pause").click()
    page.get_by_text("Paused. 2 new points").wait_for()
    with page.expect_response(EVENTS):
        page.get_by_role("button", name="Pause").click()
    own_runs.log(run, metrics=[point(4)])
    own_runs.move(run, "COMPLETED")
    page.get_by_text("The run has ended: COMPLETED. 3 new points").wait_for()
    page.locator("metric-chart svg .mark-symbol.role-mark path").nth(3).wait_for(
        state="attached"
    )  # the last point, too
    assert len(asked) == 2  # nothing broke, and what has ended is not asked for again
    for request in asked:
        assert request.headers["authorization"].startswith("Bearer ")
        assert request.headers["last-event-id"]  # points that are known do not come again


@pytest.mark.slow
def test_a_stream_that_fails_is_polled_comes_back_and_ends_with_the_token(reader: Watched, own_runs: OwnRuns) -> None:
    last: list[str | None] = []
    answers = ["", state("first"), state("second") + end("shutdown"), state("third") + end("expired")]
    works = False

    def handle(route: Any) -> None:
        if len(last) == 2 and not works:
            problem = {"type": "urn:metric-resource:overloaded", "title": "Too many streams", "status": 503}
            headers = {"Content-Type": "application/problem+json", "Retry-After": "1"}
            route.fulfill(status=503, headers=headers, body=json.dumps(problem))
            return
        last.append(route.request.headers.get("last-event-id"))
        route.fulfill(status=200, content_type="text/event-stream", body=answers.pop(0))

    def expired(route: Any) -> None:
        if answers:
            route.continue_()
        else:
            problem = {"type": "urn:metric-resource:unauthorized", "title": "Unauthorized", "status": 401}
            route.fulfill(status=401, content_type="application/problem+json", body=json.dumps(problem))

    run = own_runs.start(metrics=[point(1)])
    reader.page.route(EVENTS, handle)
    reader.page.route(re.compile(rf"/runs/{run}$"), expired)
    search = own_runs.search(run, "tab=metrics")
    page = reader.open(search)
    page.get_by_text("Live: 0 new points since").wait_for()
    own_runs.log(run, metrics=[point(2)])
    page.get_by_text("Live: 1 new point since").wait_for()  # no stream works
    works = True
    page.get_by_label("Access token").wait_for()
    assert page.url.endswith(search)
    assert last[2:] == ["first", "end"]
    assert answers == []


@pytest.mark.slow
def test_a_run_that_is_followed_is_not_polled_and_a_hidden_tab_asks_for_nothing(
    open_page: Callable[..., Watched], own_runs: OwnRuns, demo: Demo
) -> None:
    reader = signed_in(open_page(apart=True), demo.ready["token"])
    run = own_runs.start(metrics=[point(1)])
    asked: list[str] = []
    polled = re.compile(rf"/runs/{run}(/metric-resource(/series)?\?.*)?$")
    reader.page.on("request", lambda request: asked.append(request.url) if polled.search(request.url) else None)
    reader.page.clock.install()
    page = reader.page
    broken: list[str] = []
    page.on("requestfailed", lambda request: broken.append(request.url))

    def show(hidden: bool) -> None:
        page.evaluate(
            """(hidden) => {
              Object.defineProperty(document, 'hidden', { get: () => hidden, configurable: true });
              document.dispatchEvent(new Event('visibilitychange'));
              return fetch('config.json').then((answer) => answer.text());
            }""",
            hidden,
        )

    with page.expect_response(EVENTS) as first:
        reader.open(own_runs.search(run, "tab=metrics"))
    own_runs.log(run, metrics=[point(2)])
    with page.expect_request(polled):
        while "2" not in page.get_by_role("link", name="Metrics (").inner_text():
            page.wait_for_timeout(200)  # or the page's clock soon has the service silent for a minute
            page.clock.run_for(1_000)
    for _ in range(5):  # past the second look, however late answers come: nothing older is left in any cache then
        reader.ready()
        asked.clear()
        page.clock.run_for(15_000)
        show(hidden=False)
        if not asked:
            break
    assert asked == broken == []
    with page.expect_request(polled):  # whether the runtime can be reached, which is no event
        page.clock.run_for(16_000)
    reader.ready()
    asked.clear()
    assert broken == []
    with page.expect_event("requestfailed", lambda request: request.url == first.value.url):
        show(hidden=True)
    page.clock.run_for(60_000)
    show(hidden=True)
    assert asked == []
    with page.expect_request(EVENTS) as again, page.expect_request(polled):
        show(hidden=False)
    assert again.value.headers["last-event-id"] != first.value.request.headers["last-event-id"]


@pytest.mark.slow
def test_an_answer_that_takes_long_is_waited_for(
    open_page: Callable[..., Watched], own_runs: OwnRuns, demo: Demo
) -> None:
    reader = signed_in(open_page(apart=True), demo.ready["token"])
    run = own_runs.start(metrics=[point(1)])
    page = reader.page
    held: list[Any] = []

    def hold(route: Any) -> None:
        held.append(route)

    def completed(route: Any) -> None:
        answer = route.fetch(headers={**route.request.headers, "if-none-match": '"none"'})
        route.fulfill(response=answer, body=json.dumps({**answer.json(), "status": "COMPLETED"}))

    page.clock.install()
    page.route(EVENTS, lambda route: route.abort())
    reader.open(own_runs.search(run))
    page.route(re.compile(rf"/runs/{run}$"), hold)
    with page.expect_request(re.compile(rf"/runs/{run}$")):
        page.clock.run_for(6_000)
    page.clock.run_for(30_000)
    assert len(held) == 1
    assert page.get_by_role("heading", name=run).is_visible()
    assert page.get_by_role("alert").count() == 0
    page.route(re.compile(rf"/runs/{run}$"), completed)  # also what is asked for after the answer
    for route in held:
        completed(route)
    page.locator("main .status", has_text="COMPLETED").wait_for()
    page.unroute_all(behavior="wait")


@pytest.mark.slow
def test_the_run_of_the_demo_grows(reader: Watched) -> None:
    page = reader.open(f"?run={RUNNING}&tab=metrics")
    tab = page.get_by_role("link", name="Metrics (")

    def points() -> int:
        return int(re.sub(r"\D", "", tab.inner_text()))

    before = points()
    assert before > 0
    page.get_by_text(re.compile(r"Live: [1-9]\d* new points? since")).wait_for()
    eventually(lambda: points() > before)
