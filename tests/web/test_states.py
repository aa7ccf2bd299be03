"""What is shown where there is nothing, where something is refused or broken, and when it is well again."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.servers.demo import Demo
from tests.web.conftest import (
    EMPTY,
    FIRST,
    RESEARCH,
    RUNNING,
    SECOND,
    OwnRuns,
    Watched,
    faults,
    minted,
    point,
    signed_in,
    violations,
)

pytestmark = pytest.mark.slow

METRICS = f"?run={FIRST}&tab=metrics"


@pytest.fixture
def failing(demo: Demo) -> Iterator[Callable[..., None]]:
    yield lambda **what: faults(demo, **what)
    faults(demo, unavailable=False, metrics=True, slow=0)


def changed(watched: Watched, pattern: str, change: Callable[[Any], None]) -> None:
    """Have the members of real answers changed on their way."""

    def handle(route: Any) -> None:
        answer = route.fetch()
        if answer.status != 200:  # nothing has changed
            route.fulfill(response=answer)
            return
        document = answer.json()
        change(document)
        route.fulfill(response=answer, body=json.dumps(document))

    watched.page.route(re.compile(pattern), handle)


def test_no_metrics_is_not_no_match(reader: Watched) -> None:
    page = reader.open(f"?run={EMPTY}&tab=metrics")
    page.get_by_text("No metrics were logged for this run.").wait_for()
    for part, line in (("tags", "This run has no tags."), ("info", "This run has no custom info.")):
        reader.open(f"?run={EMPTY}&tab=metrics&part={part}").get_by_text(line).wait_for()
    for view in ("", "&as=table"):
        page = reader.open(f"{METRICS}&search=no-such-metric{view}")
        page.get_by_text("No point matches these filters.").wait_for()
        page.locator(".empty").get_by_role("button", name="Clear filters").click()
        page.get_by_text("No point matches").wait_for(state="detached")
        assert "search" not in page.url


def test_a_token_without_the_role(open_page: Callable[..., Watched], demo: Demo) -> None:
    """What is missing, and who can grant it; what the token does allow is there."""
    watched = signed_in(open_page(), minted(demo, "--role", "scenario_job_viewer"))
    page = watched.open(METRICS)
    problem = page.get_by_role("alert").first
    assert "Not allowed (403)" in problem.inner_text()
    assert "scenarios.metrics.read" in problem.inner_text()
    assert "scenario_metric_viewer" in problem.inner_text()
    assert not problem.get_by_text("ailaunchpad_mloperations_viewer", exact=True).is_visible()
    problem.locator("summary").click()
    assert problem.get_by_text("ailaunchpad_mloperations_viewer", exact=True).is_visible()
    assert page.get_by_text("digits-network-32-configuration").count() == 1
    assert violations(watched) == []


def test_a_run_of_another_resource_group(reader: Watched) -> None:
    page = reader.open(f"?run={RESEARCH}&tab=metrics")
    problem = page.get_by_role("alert").first.inner_text()
    assert "There is no such run (404)" in problem
    assert RESEARCH in problem
    page.get_by_label("Resource group").select_option("research")
    page.get_by_text("COMPLETED").first.wait_for()
    assert "group=research" in page.url


def test_a_group_that_the_reader_may_not_use(open_page: Callable[..., Watched], demo: Demo) -> None:
    token = minted(demo, "--role", "scenario_job_viewer", "--resource-group", "default")
    page = signed_in(open_page(), token).open("?group=research")
    assert "may not use the resource group research" in page.get_by_role("alert").inner_text()


def test_the_runtime_is_switched_off_and_on(
    reader: Watched,
    open_page: Callable[..., Watched],
    own_runs: OwnRuns,
    demo: Demo,
    failing: Callable[..., None],
) -> None:
    """What was read is there, said to be old; what was not counts down and says its request. Both mend by themselves."""
    unread = own_runs.start(metrics=[point(1), point(2)])
    old = reader.open(f"?run={RUNNING}&tab=metrics")
    failing(unavailable=True)
    said = old.get_by_text(re.compile(r"As of \d\d:\d\d:\d\d: the runtime cannot be reached"))
    said.first.wait_for()
    assert old.locator("metric-chart").count() == 1
    assert violations(reader) == []
    other = signed_in(open_page(), demo.ready["token"])
    page = other.open(own_runs.search(unread, "tab=metrics"))
    problem = page.get_by_role("alert").filter(has_text=re.compile(r"Trying again in \d+ s")).first
    problem.locator("code").wait_for()
    assert violations(other) == []
    failing(unavailable=False)
    page.locator("metric-chart svg").first.wait_for()
    said.first.wait_for(state="detached")


@pytest.mark.parametrize(("status", "slug"), [(429, "too-many-requests"), (504, "runtime-timeout")])
def test_what_passes_is_tried_again(reader: Watched, status: int, slug: str) -> None:
    asked: list[Any] = []
    seen = False
    document = {
        "type": f"urn:metric-resource:{slug}",
        "title": "Later",
        "status": status,
        "detail": "d",
        "requestId": "r-1",
    }

    def once(route: Any) -> None:
        asked.append(route)
        if len(asked) > 1:
            if seen:
                route.continue_()
            return
        headers = {"Content-Type": "application/problem+json", "Retry-After": "2"}
        route.fulfill(status=status, headers=headers, body=json.dumps(document))

    reader.page.route(re.compile(r"/runs\?"), once)
    reader.page.goto(f"{reader.service}/ui/")
    reader.page.get_by_text(re.compile(r"Trying again in [012] s")).wait_for()
    assert "r-1" in reader.page.get_by_role("alert").inner_text()
    seen = True  # until then the page waits for its second answer, and says so, however slow this test is
    for route in asked[1:]:
        route.continue_()
    reader.page.locator("tbody tr").first.wait_for()
    assert len(asked) == 2


def test_a_chart_of_a_run_that_goes_on_is_tried_again_whatever_failed(reader: Watched, own_runs: OwnRuns) -> None:
    run = own_runs.start(metrics=[point(1), point(2)])
    document = {
        "type": "urn:metric-resource:invalid-parameter",
        "title": "T",
        "status": 400,
        "detail": "not a value yet",
    }
    refused = {"status": 400, "content_type": "application/problem+json", "body": json.dumps(document)}
    seen = False

    def refuse(route: Any) -> None:
        if seen:
            route.continue_()
        else:
            route.fulfill(**refused)

    reader.page.route(re.compile(r"/metric-resource/chart"), refuse)
    page = reader.open(own_runs.search(run, "tab=metrics"), ready=False)
    page.locator("figure").get_by_text("not a value yet").wait_for()
    seen = True
    page.locator("figure svg").wait_for()
    assert page.get_by_text("not a value yet").count() == 0


def test_a_chart_that_cannot_be_had_says_why_and_is_tried_again(reader: Watched) -> None:
    """Though the run has not changed meanwhile."""
    document = {"type": "urn:metric-resource:runtime-timeout", "title": "Later", "status": 504, "detail": "it was late"}
    late = {"status": 504, "content_type": "application/problem+json", "body": json.dumps(document)}
    asked: list[Any] = []
    seen = False

    def once(route: Any) -> None:
        asked.append(route)
        if len(asked) == 1:
            route.fulfill(**late)
        elif seen:
            route.continue_()

    reader.page.route(re.compile(r"/metric-resource/chart\?.*name=Loss"), once)
    page = reader.open(f"{METRICS}&search=Loss", ready=False)
    figure = page.locator("figure", has=page.get_by_role("heading", name="Loss", exact=True))
    figure.get_by_text("it was late").wait_for()
    seen = True
    for route in asked[1:]:
        route.continue_()
    figure.locator("svg").wait_for()
    assert figure.get_by_text("it was late").count() == 0


@pytest.mark.parametrize(
    ("search", "page_1", "resource"),
    [("?cursor=old", "Runs", r"/runs\?.*cursor=old"), (f"{METRICS}&as=table&cursor=old", FIRST, r"/metric-resource\?.*cursor=old")],
)  # fmt: skip
def test_pages_that_have_expired(reader: Watched, search: str, page_1: str, resource: str) -> None:
    """Page 1 again, and a line that says so; the next page leaves the line behind."""
    document = {"type": "urn:metric-resource:cursor-expired", "title": "The pages have expired", "status": 410}
    expired = {"status": 410, "content_type": "application/problem+json", "body": json.dumps(document)}
    asked: list[str] = []

    def gone(route: Any) -> None:
        asked.append(route.request.url)
        route.fulfill(**expired)

    reader.page.route(re.compile(resource), gone)
    page = reader.open(search)
    page.get_by_text("The pages had expired: this is page 1 again.").wait_for()
    page.get_by_role("heading", name=page_1).wait_for()
    page.locator("tbody tr").first.wait_for()
    assert page.get_by_role("alert").count() == 0
    assert "cursor=" not in page.url
    assert len(asked) == 1
    assert violations(reader) == []


def test_a_runtime_without_metrics(reader: Watched) -> None:
    """There is no tab; a deep link says why."""
    changed(reader, rf"/runs/{FIRST}$", lambda run: run["metricResource"].update(available=False))
    page = reader.open(f"?run={FIRST}")
    assert page.get_by_role("navigation", name="Run").get_by_role("link").all_inner_texts()[:2] == [
        "Overview",
        "Status",
    ]
    assert page.get_by_role("link", name="Metric Resource").count() == 0
    reader.open(METRICS).get_by_text("does not implement the metrics extension").wait_for()
    assert violations(reader) == []


def test_parts_that_could_not_be_read_are_named(reader: Watched) -> None:
    changed(reader, rf"/runs/{FIRST}$", lambda run: run.update(unavailable=["parameters"], parameters=None))
    warning = {"code": "unreadable-step", "count": 3, "detail": "three steps cannot be read"}
    changed(reader, r"/metric-resource\?limit=1$", lambda found: found.update(warnings=[warning]))
    page = reader.open(f"?run={FIRST}")
    page.get_by_text("Could not be read in full: parameters").wait_for()
    reader.open(METRICS).get_by_text("three steps cannot be read (3)").wait_for()
    assert violations(reader) == []


def test_a_run_of_a_comparison_that_is_missing_is_named(reader: Watched) -> None:
    page = reader.open(f"?compare={FIRST}&compare={SECOND}&compare=no-such-run")
    page.get_by_text("Run no-such-run: there is no run 'no-such-run'").wait_for()
    page.get_by_role("row", name="learning_rate").wait_for()
    assert violations(reader) == []


def test_nothing_of_another_resource_group_is_shown(reader: Watched, own_runs: OwnRuns) -> None:
    """Neither while its runs are read nor beneath an error."""
    held: list[Any] = []
    page = reader.open()
    assert page.locator("tbody tr").count() == 10

    def hold(route: Any) -> None:
        held.append(route)

    page.route(re.compile(r"/runs\?"), hold)
    page.evaluate(
        f"history.pushState(null, '', '?group={own_runs.group}'); dispatchEvent(new PopStateEvent('popstate'))"
    )
    page.locator(".skeleton").wait_for()
    assert page.locator("tbody tr").count() == 0
    late = {"type": "urn:metric-resource:runtime-timeout", "title": "Later", "status": 504}
    held[0].fulfill(status=504, content_type="application/problem+json", body=json.dumps(late))
    page.get_by_role("alert").wait_for()
    assert page.locator("tbody tr").count() == 0
    page.unroute(re.compile(r"/runs\?"))
    reader.visit(f"?run={FIRST}")
    page.get_by_role("heading", name="Parameters").wait_for()
    select_group = page.get_by_label("Resource group")
    select_group.select_option("research")
    page.get_by_text("There is no such run (404)").wait_for()
    assert page.get_by_role("heading", name="Parameters").count() == 0


def test_a_view_that_does_not_load_is_named(reader: Watched) -> None:
    """The scripts of comparisons are loaded apart; the rest of the page goes on without them."""
    reader.page.route(re.compile(r"/views/comparison\.js$"), lambda route: route.abort())
    page = reader.open()
    page.get_by_role("checkbox", name=f"Compare {FIRST}").check()
    page.get_by_role("checkbox", name=f"Compare {SECOND}").check()
    page.get_by_role("button", name="Compare (2)").click()
    page.get_by_text("This view did not load: reload the page.").wait_for()
    page.get_by_role("link", name="Runs", exact=True).click()
    page.get_by_role("checkbox", name=f"Compare {FIRST}").wait_for()


def test_old_content_stays_while_new_is_read_and_a_skeleton_is_late(
    reader: Watched, failing: Callable[..., None]
) -> None:
    page = reader.open()
    held: list[Any] = []

    def hold(route: Any) -> None:
        held.append(route)

    page.route(re.compile(r"status=DEAD"), hold)
    page.get_by_role("button", name="dead", exact=True).click()
    page.locator("[aria-busy]").wait_for()
    assert page.locator("tbody tr").count() == 10
    assert page.locator(".skeleton").count() == 0
    held[0].continue_()
    page.locator("[aria-busy]").wait_for(state="detached")
    assert page.locator("tbody tr").count() == 1
    page.route(re.compile(rf"/runs/{SECOND}$"), hold)
    with page.expect_request(re.compile(rf"/runs/{SECOND}$")):
        page.goto(f"{reader.service}/ui/?run={SECOND}")
    page.locator(".skeleton").wait_for()
    assert violations(reader) == []
    assert page.evaluate("getComputedStyle(document.querySelector('.skeleton')).animationDelay") == "0.3s"
    held[1].continue_()
    reader.ready()


def test_what_is_no_number_is_a_word_or_a_dash(reader: Watched) -> None:
    odd = [
        {"value": "NaN"},
        {"value": "Infinity", "step": None},
        {"value": "-Infinity"},
        {"value": None, "timestamp": None},
    ]

    def replace(found: Any) -> None:
        for point_, more in zip(found["metrics"], odd, strict=False):
            point_.update(more)

    changed(reader, r"/metric-resource\?.*limit=200", replace)
    page = reader.open(f"{METRICS}&as=table")
    rows = [row.locator("td").all_inner_texts() for row in page.locator("tr.group ~ tr").all()[:4]]
    assert [row[1] for row in rows] == ["NaN", "Infinity", "-Infinity", "–"]
    assert (rows[1][3], rows[3][2]) == ("–", "–")


def test_digits_are_the_api_s(reader: Watched) -> None:
    """Also where the browser does not tell how a number was written; NaN and infinities are words."""
    page = reader.open()
    odd = '{"a": 0.10, "b": 12345678901234567890, "c": -0, "d": 1e400, "e": [1, 2.5], "f": "1.0 \\" 2", "g": "NaN"}'
    script = """async ([text, plain]) => {
      const { parse } = await import(document.querySelector('script[src]').src.replace('main.js', 'exact.js'));
      const real = JSON.parse;
      if (plain) JSON.parse = (text, revive) => real(text, revive && function (key, value) { return revive.call(this, key, value); });
      try {
        return Object.values(parse(text)).map(String);
      } finally {
        JSON.parse = real;
      }
    }"""
    for plain in (False, True):
        assert page.evaluate(script, [odd, plain]) == [
            "0.10", "12345678901234567890", "-0", "1e400", "1,2.5", '1.0 " 2', "NaN"
        ]  # fmt: skip
