"""What can be chosen in each view: it stands in the address, and is what is asked of the API."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.servers.demo import Demo
from tests.web.conftest import DEAD, FIRST, LARGE, SECOND, STOPPED, THIRD, OwnRuns, Watched, point

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = pytest.mark.slow

TABLE = f"?run={FIRST}&tab=metrics&as=table"


def query(url: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(url).query)


def choose(watched: Watched, resource: str, change: Any) -> dict[str, list[str]]:
    """What is asked of that resource when something is chosen."""
    with watched.page.expect_request(re.compile(resource)) as asked:
        change()
    watched.ready()
    return query(asked.value.url)


def enter(watched: Watched, label: str, text: str) -> Any:
    def change() -> None:
        field = watched.page.get_by_label(label, exact=True)
        field.fill(text)
        field.press("Enter")

    return change


def select(page: Page, label: str) -> Locator:
    """By the words in front of it alone: what can be chosen is in the label, too."""
    return page.locator("label", has=page.locator(f"span:text-is('{label}')")).locator("select")


def test_runs(reader: Watched, demo: Demo) -> None:
    page = reader.open()
    runs = r"/runs(\?|$)"
    first = demo.get("/runs?timezone=Europe/Berlin&sort=createdAt&limit=1").json()["runs"][0]
    choose(reader, runs, page.get_by_role("button", name="Created").click)
    assert page.locator("tbody tr").first.locator("td").all_inner_texts()[1:] == [
        first["runId"], first["configurationName"], "✓ COMPLETED", "completed", to_the_second(first["createdAt"]), in_seconds(first)
    ]  # fmt: skip
    asked = choose(reader, runs, enter(reader, "Best value of", "Loss"))
    assert asked["metric"] == ["Loss:min"]
    asked = choose(reader, runs, page.get_by_role("button", name=re.compile(r"Loss \(min\)")).click)
    assert asked["sort"] == ["metric:Loss:min"]
    best = demo.get("/runs?metric=Loss:min&sort=metric:Loss:min").json()["runs"]
    assert page.locator("tbody a").all_inner_texts() == [run["runId"] for run in best]
    assert page.locator("tbody tr").first.locator("td").last.inner_text() == str(best[0]["metrics"][0]["value"])
    assert page.locator("th[aria-sort=ascending]").count() == 1
    asked = choose(reader, runs, lambda: select(page, "as").select_option("max"))
    assert asked["metric"] == ["Loss:max"]
    asked = choose(reader, runs, page.get_by_role("button", name="dead", exact=True).click)
    assert asked["status"] == ["DEAD"]
    assert page.locator("tbody a").all_inner_texts() == [DEAD]
    page.get_by_text("More filters").click()
    for label, parameter in (
        ("Scenario", "scenarioId"),
        ("Executable", "executableId"),
        ("Configuration", "configurationId"),
        ("Schedule", "executionScheduleId"),
        ("Search", "search"),
    ):
        asked = choose(reader, runs, enter(reader, label, "none"))
        assert asked[parameter] == ["none"]
        assert query(page.url)[parameter] == ["none"]
    page.get_by_text("No run matches these filters.").wait_for()
    page.get_by_role("button", name="Clear filters").click()
    page.locator("tbody tr").nth(9).wait_for()
    for run in (FIRST, SECOND, THIRD, DEAD, STOPPED):
        page.get_by_role("checkbox", name=f"Compare {run}").check()
    assert page.locator("tbody input:enabled").count() == 5


@pytest.mark.parametrize(
    ("title", "sort"), [("Configuration", "configurationName"), ("Status", "status"), ("Duration", "durationSeconds")]
)
def test_runs_are_sorted(reader: Watched, demo: Demo, title: str, sort: str) -> None:
    """By a click upwards, by the next downwards; those that have no such value are last."""
    page = reader.open()
    for direction, order in (("ascending", sort), ("descending", f"-{sort}")):
        asked = choose(reader, r"/runs\?", page.get_by_role("columnheader", name=title).get_by_role("button").click)
        assert asked["sort"] == [order]
        assert page.locator(f"th[aria-sort={direction}]").inner_text().startswith(title)
        runs = demo.get(f"/runs?sort={order}").json()["runs"]
        assert page.locator("tbody a").all_inner_texts() == [run["runId"] for run in runs]
        values = [run[sort] for run in runs if run[sort] is not None]
        assert values == sorted(values, reverse=direction == "descending")
        assert len(set(values)) > 2


def to_the_second(timestamp: str) -> str:
    return timestamp[:19].replace("T", " ")


def in_seconds(run: dict[str, Any]) -> str:
    return f"{run['durationSeconds']:.1f}".removesuffix(".0") + "s"


def test_the_header_and_the_overview(reader: Watched, demo: Demo) -> None:
    """All that the API says of a run, in the browser's zone, and how old that is."""
    run = demo.get(f"/runs/{FIRST}?timezone=Europe/Berlin").json()
    page = reader.open(f"?run={FIRST}")
    assert re.fullmatch(r"as of \d\d:\d\d:\d\d", page.locator(".head .faint").inner_text())
    assert page.locator("main .status").inner_text() == "✓ COMPLETED"
    facts = page.locator("main dl > div")
    times = ("createdAt", "submissionTime", "startTime", "completionTime")
    assert dict(text.splitlines() for text in facts.all_inner_texts()) == {
        "Configuration": run["configurationName"],
        **dict(zip(("Created", "Submitted", "Started", "Finished"), [to_the_second(run[name]) for name in times], strict=True)),
        "Duration": in_seconds(run),
        "Scenario": "{name} {id}".format(**run["scenario"]),
        "Executable": "{name} {id} version {versionId}".format(**run["executable"]),
    }  # fmt: skip
    for title, rows, members in (
        ("Parameters", run["parameters"], ("key", "value")),
        ("Inputs", run["inputArtifacts"], ("key", "name", "kind", "url")),
        ("Outputs", run["outputArtifacts"], ("key", "name", "kind", "url")),
    ):
        assert page.get_by_role("heading", name=f"{title} ({len(rows)})").is_visible()
        table = page.get_by_role("table", name=title)
        shown = [row.locator("th, td").all_inner_texts() for row in table.locator("tbody tr").all()]
        assert shown == [[row[member] for member in members] for row in rows]


def test_tags(reader: Watched) -> None:
    """They are searched where they are: by name and by value, and nothing is asked for."""
    page = reader.open(f"?run={FIRST}&tab=metrics&part=tags")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.resource_type == "fetch" else None)
    for text, shown in (("ALGO", ["Algorithm MLPClassifier"]), ("digits", ["Artifact Group digits"])):
        enter(reader, "Search tags", text)()
        page.locator(".tag").nth(1).wait_for(state="detached")
        assert page.locator(".tag").all_inner_texts() == shown
    enter(reader, "Search tags", "none")()
    page.get_by_text("No tag matches.").wait_for()
    page.get_by_role("button", name="Clear filters").click()
    page.locator(".tag").nth(1).wait_for()
    assert page.get_by_label("Search tags").input_value() == ""
    assert asked == []


def test_copy(reader: Watched) -> None:
    """The run's id comes into the clipboard, the button says so, and the focus stays on it."""
    page = reader.open(f"?run={FIRST}")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate("navigator.clipboard.writeText('')")
    copy = page.get_by_role("button", name="Copy the run’s id")
    copy.press("Enter")
    copy.get_by_text("Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == FIRST
    assert copy.evaluate("(button) => button === document.activeElement")


def test_refresh(reader: Watched, own_runs: OwnRuns) -> None:
    """All that the view is made of comes from the runtime itself, charts too; the focus stays."""
    run = own_runs.start(metrics=[point(1)])
    own_runs.move(run, "COMPLETED")
    page = reader.open(own_runs.search(run, "tab=metrics"))
    page.locator("metric-chart svg").wait_for()
    own_runs.log(run, metrics=[point(2, value=0.25)])
    asked: list[Any] = []
    page.on("request", lambda request: asked.append(request) if request.resource_type == "fetch" else None)
    refresh = page.get_by_role("button", name="Refresh")
    refresh.press("Enter")
    page.get_by_role("link", name="Metrics (2)").wait_for()
    page.get_by_role("row", name="Last 0.25").wait_for()
    reader.ready()
    assert refresh.evaluate("(button) => button === document.activeElement")
    how: dict[str, set[str]] = {}
    for request in asked:
        how.setdefault(urlsplit(request.url).path, set()).add(request.all_headers().get("cache-control", ""))
    assert {path for path, cached in how.items() if "no-cache" in cached} == {
        "/connections",
        "/resource-groups",
        f"/runs/{run}",
        f"/runs/{run}/metric-resource",
        f"/runs/{run}/metric-resource/chart",
        f"/runs/{run}/metric-resource/series",
    }


def test_custom_info(reader: Watched, own_runs: OwnRuns) -> None:
    """JSON is folded open: lists of lists and of like objects as tables, digits as they were logged; other text is text."""
    values = {
        "matrix": "[[1.50, 2], [3, 4e2]]",
        "records": '[{"epoch": 1, "note": "a"}, {"epoch": 2, "note": null}]',
        "object": '{"layers": ["dense", {"units": 10}]}',
        "text": "no {JSON",
        "said": '{"a": {"text": "hello", "n": 2}, "none": []}',
        "scores": '[{"class": "cat", "precision": 0.5, "recall": 1}, {"class": "dog", "precision": 0.25, "recall": 0}]',
        "course": json.dumps([{"step": step, "epoch": step, "loss": 0.5} for step in range(3)]),
        "pairs": json.dumps([{"is": row, "seems": column, "n": 1} for row in ("10", "0.5") for column in ("b", "a")]),
    }
    run = own_runs.start(customInfo=[{"name": name, "value": value} for name, value in values.items()])
    page = reader.open(own_runs.search(run, "tab=metrics", "part=info"))
    value = page.locator(".sides section")
    assert value.get_by_role("table", name="Matrix").locator("tr td").all_inner_texts() == ["1.50", "2", "3", "4e2"]
    page.get_by_role("link", name="records").click()
    records = value.get_by_role("table", name="epoch, note")
    assert records.locator("th").all_inner_texts() == ["epoch", "note"]
    assert records.locator("td").all_inner_texts() == ["1", "a", "2", "–"]
    page.get_by_role("link", name="object").click()
    assert value.locator("dt").all_inner_texts() == ["layers", "units"]
    assert value.locator("li").first.inner_text() == "dense"
    page.get_by_role("link", name="text").click()
    value.get_by_text("no {JSON", exact=True).wait_for()
    page.get_by_role("link", name="said").click()
    assert value.locator("dl > div").all_inner_texts()[1:] == ["text\nhello", "n\n2", "none\n[]"]
    page.get_by_role("link", name="scores").click()  # each combination once is what makes a matrix of pairs
    assert value.locator("thead th").all_inner_texts() == ["class", "precision", "recall"]
    page.get_by_role("link", name="course").click()
    assert value.locator("thead th").all_inner_texts() == ["step", "epoch", "loss"]
    page.get_by_role("link", name="pairs").click()
    assert value.locator("thead th").all_inner_texts() == ["is \\ seems", "b", "a"]
    assert value.locator("tbody th").all_inner_texts() == ["0.5", "10"]


def test_a_run_and_its_logs(reader: Watched, demo: Demo) -> None:
    page = reader.open(f"?run={FIRST}&tab=logs")
    saves: list[str] = []
    page.on("download", lambda saved: saves.append(saved.url))
    lines = demo.get(f"/runs/{FIRST}/logs?search=epoch 40&limit=1000").json()["logs"]
    newest = page.locator(".logs time").all_inner_texts()
    assert len(newest) > 40
    asked = choose(reader, "/logs", enter(reader, "Search", "epoch 40"))
    assert asked["search"] == ["epoch 40"]
    assert page.locator(".logs li").count() == len(lines) == 1
    assert newest == sorted(newest, reverse=True)
    assert saves == []
    with page.expect_download() as saved:
        page.get_by_role("button", name="Download").click()
    assert saved.value.path().read_text().count("\n") == 1
    asked = choose(reader, "/logs", enter(reader, "Since", "2026-01-01T00:00:00Z"))
    assert asked["since"] == ["2026-01-01T00:00:00Z"]
    asked = choose(
        reader, "/logs", enter(reader, "Since", " 2026-01-01 01:00:00.5 +01:00")
    )  # as the page writes instants
    assert asked["since"] == ["2026-01-01T01:00:00.5+01:00"]


def test_logs_that_are_cut_say_so(reader: Watched, own_runs: OwnRuns) -> None:
    run = own_runs.start(metrics=[point(1)])
    own_runs.write(run, [f"line {number}" for number in range(501)])
    page = reader.open(own_runs.search(run, "tab=logs"))
    page.get_by_text("The newest 500 lines; a download has up to 5,000.").wait_for()
    assert page.locator(".logs li").count() == 500
    choose(reader, "/logs", enter(reader, "Search", "line 17"))
    assert page.get_by_text("The newest").count() == 0


def test_a_metric_without_steps_is_drawn_by_time(reader: Watched, own_runs: OwnRuns) -> None:
    stepless = [{"name": "Cost", "value": value, "timestamp": f"2026-03-29T01:00:0{value}Z"} for value in (1, 2)]
    run = own_runs.start(metrics=[*stepless, point(1), point(2)])
    own_runs.move(run, "COMPLETED")  # so that nothing is asked for twice
    asked: set[tuple[str, ...]] = set()  # a slow browser asks for a picture, too

    def noted(request: Any) -> None:
        if "/chart?" in request.url:
            wanted = query(request.url)
            asked.add((*wanted["name"], *wanted.get("x", ["step"])))

    reader.page.on("request", noted)
    page = reader.open(own_runs.search(run, "tab=metrics"))
    page.locator("metric-chart svg").nth(1).wait_for()
    assert asked == {("Cost", "time"), ("Loss", "step")}


def test_the_focus_is_never_lost(reader: Watched) -> None:
    """What is pressed may go with what it changes: then the view has the focus."""
    page = reader.open(f"?compare={FIRST}&compare={SECOND}&compare={THIRD}&view=board&chart=metric%3DLoss")
    focused = "document.activeElement.closest('main, header')?.nodeName"
    for press in (
        page.get_by_role("button", name="Remove the chart"),
        page.get_by_role("button", name=f"Remove {FIRST}"),
        page.get_by_role("link", name="digits").first,
    ):
        press.press("Enter")
        reader.ready()
        press.nth(0).wait_for(state="detached")
        assert page.evaluate(focused) == "MAIN", press
    reader.visit(f"?run={LARGE}&tab=metrics&as=table")
    page.get_by_role("link", name="Next page").press("Enter")
    page.get_by_role("link", name="First page").wait_for()
    reader.ready()
    assert page.evaluate("document.activeElement.textContent") == "Next page"


def test_charts(reader: Watched, demo: Demo) -> None:
    page = reader.open(f"?run={FIRST}&tab=metrics&search=Loss")
    for label, value, parameter in (
        ("Against", "time", "x"),
        ("Against", "elapsed", "x"),
        ("Scale", "log", "scale"),
        ("Smoothing", "0.9", "smooth"),
    ):
        asked = choose(
            reader,
            rf"/chart\?.*{parameter}={value}",
            lambda label=label, value=value: select(page, label).select_option(value),
        )
        assert asked[parameter] == query(page.url)[parameter] == [value]
        reader.ready()
        drawn = page.locator("metric-chart svg .mark-line.role-mark path").first.bounding_box()
        assert drawn is not None
        assert drawn["width"] > 200, label
    answer = demo.get(f"/runs/{FIRST}/metric-resource/series?name=Loss&points=2")
    series = json.loads(answer.text, parse_float=str)["series"]
    rows = page.get_by_role("table", name="Summary of Loss").locator("tbody tr").all_inner_texts()
    assert [row.split("\t") for row in rows] == [
        *([name, *[each[name.lower()]["value"] for each in series]] for name in ("First", "Last", "Min", "Max")),
        ["Mean", *[each["mean"] for each in series]],
        ["Points", *[str(each["count"]) for each in series]],
    ]
    page.go_back()
    reader.ready()
    assert "smooth" not in query(page.url)
    assert select(page, "Smoothing").input_value() == ""


def test_points(reader: Watched) -> None:
    page = reader.open(TABLE)
    resource = r"/metric-resource\?.*limit=200"
    asked = choose(reader, resource, page.get_by_role("button", name="Value").click)
    assert asked["sort"] == ["name,value"]
    assert page.locator("th[aria-sort=ascending]").inner_text().startswith("Value")
    asked = choose(reader, resource, page.locator("tbody .chip", has_text="dataset: validation").first.click)
    assert asked["label"] == ["dataset:validation"]
    assert page.locator("fieldset .chip[aria-pressed=true]").all_inner_texts() == ["dataset: validation"]
    asked = choose(reader, resource, page.get_by_label("Group by name").uncheck)
    assert asked["sort"] == ["value"]
    assert page.locator("tr.group").count() == 0
    assert page.locator("tbody td").first.inner_text() == "Loss"
    choose(reader, resource, page.get_by_label("Group by name").check)
    page.get_by_text("Steps and times").click()
    asked = choose(reader, resource, enter(reader, "From step", "39"))
    assert asked["minStep"] == ["39"]
    assert page.get_by_text("4 of 4 points").count() == 1
    asked = choose(reader, resource, enter(reader, "To step", "39"))
    assert asked["maxStep"] == ["39"]
    assert page.locator("tbody td:nth-child(4)").all_inner_texts() == ["39", "39"]
    choose(reader, resource, enter(reader, "To step", ""))
    shown = times(page)
    since = max(shown)
    asked = choose(reader, resource, enter(reader, "Since", since))
    assert asked["since"] == [since]
    assert times(page) == [time for time in shown if time >= since]
    assert 0 < len(times(page)) < len(shown)
    choose(reader, resource, enter(reader, "Since", ""))
    asked = choose(reader, resource, enter(reader, "Until", "2020-01-01T00:00:00Z"))
    assert asked["until"] == ["2020-01-01T00:00:00Z"]
    page.get_by_text("No point matches these filters.").wait_for()
    assert page.locator("summary", has_text="Steps and times").inner_text() == "Steps and times (2)"
    reader.open(f"?{urlsplit(page.url).query}")
    assert page.get_by_label("From step").input_value() == "39"  # what is set is not folded away
    assert page.get_by_label("From step").is_visible()


def times(page: Page) -> list[str]:
    """Those of the points that are shown, from top to bottom."""
    found: list[str] = page.locator("tbody time").evaluate_all("(all) => all.map((time) => time.dateTime)")
    return found


_CUT = """
[...document.querySelectorAll('figure svg text')].filter((text) => {
  const [own, whole] = [text, text.closest('svg')].map((element) => element.getBoundingClientRect());
  return own.left < whole.left - 1 || own.right > whole.right + 1;
}).map((text) => text.textContent)
"""
"""Texts of charts, of legends too, that are not all within the picture."""


def test_the_board(reader: Watched) -> None:
    """Charts are added one by one; their address has them, and the picture has an address of its own."""
    page = reader.open(f"?compare={FIRST}&compare={SECOND}&view=board")
    page.get_by_label("Metrics (up to 4, with Ctrl)").select_option(["Loss", "Accuracy"])
    page.get_by_label("Against").select_option("elapsed")
    page.get_by_label("Scale").select_option("log")
    asked = choose(reader, "/comparisons/chart", page.get_by_role("button", name="Add chart").click)
    assert asked == {"run": [FIRST, SECOND], "metric": ["Loss", "Accuracy"], "against": ["elapsed"], "scale": ["log"]}
    page.locator("figure svg").wait_for()
    assert query(page.url)["chart"] == ["metric=Loss&metric=Accuracy&against=elapsed&scale=log"]
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy link").click()
    page.get_by_role("button", name="Copied").wait_for()
    assert query(page.evaluate("navigator.clipboard.readText()")) == {**asked, "format": ["svg"]}
    with page.expect_download() as saved:
        page.get_by_role("button", name="SVG").click()
    assert "<svg" in saved.value.path().read_text()
    page.get_by_role("button", name="Remove the chart").click()
    page.get_by_text("The board is empty.").wait_for()
    assert "chart" not in query(page.url)
    page.get_by_label("Metrics (up to 4, with Ctrl)").select_option("Loss")
    page.set_viewport_size({"width": 1280, "height": 3000})  # charts are read when they come into view
    for title, mark in (("Column", "rect"), ("Bar", "rect"), ("Heatmap", "rect"), ("Scatter", "symbol")):
        select(page, "Type").select_option(label=title)
        asked = choose(reader, "/comparisons/chart", page.get_by_role("button", name="Add chart").click)
        assert asked["type"] == [title.lower()]
        assert page.locator(f"figure:last-child svg .mark-{mark}.role-mark path").count() > 1
        assert page.locator("figure:last-child svg .mark-line").count() == 0
    for left in (3, 2, 1):
        page.get_by_role("button", name="Remove the chart").first.click()
        page.locator("figure").nth(left).wait_for(state="detached")
    assert query(page.url)["chart"] == ["metric=Loss&against=elapsed&type=scatter&scale=log"]
    runs = "&".join(f"compare={run}" for run in (FIRST, SECOND, THIRD))
    reader.visit(f"?{runs}&view=board&chart=metric%3DLoss%26against%3Dstep")
    page.locator("figure svg text", has_text="dataset=validation").wait_for(state="attached")
    assert page.evaluate(_CUT) == []


def test_settings(reader: Watched) -> None:
    """Zone, resource group and connection go with every request; light or dark is kept in the browser."""
    page = reader.open()
    zone = page.get_by_label("Time zone")
    zone.fill("Europe/Nowhere")
    zone.press("Enter")
    problem = page.get_by_role("alert").first
    problem.get_by_text("must be an IANA time zone such as Europe/Berlin, or a fixed offset such as +02:00").wait_for()
    assert page.locator("tbody tr").count() == 10  # what was there stays
    assert page.locator("#zones option").count() > 300
    with page.expect_request(re.compile(r"/runs\?")) as asked:
        enter(reader, "Time zone", "Asia/Tokyo")()
    assert asked.value.headers["time-zone"] == "Asia/Tokyo"
    problem.wait_for(state="detached")
    with page.expect_request(re.compile(r"/runs\?")) as asked:
        select(page, "Resource group").select_option("research")
    assert asked.value.headers["ai-resource-group"] == "research"
    reader.ready()
    assert query(page.url) == {"zone": ["Asia/Tokyo"], "group": ["research"]}
    light = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    select(page, "Theme").select_option("dark")
    page.reload()
    reader.ready()
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") != light
    select(page, "Theme").select_option("")


def test_comparison(reader: Watched) -> None:
    page = reader.open(f"?compare={FIRST}&compare={SECOND}&compare={THIRD}")
    rows = page.locator("tbody th")
    assert page.locator("tbody th > bdi").all_inner_texts() == ["learning_rate", "hidden_units", "epochs", "batch_size"]
    assert page.locator("tr.differs").count() == 2
    asked = choose(reader, "/comparisons", page.get_by_label("Only what differs").check)
    assert asked["differs"] == ["true"]
    assert page.locator("tbody th > bdi").all_inner_texts() == ["learning_rate", "hidden_units"]
    page.get_by_role("link", name="Runs").last.click()
    reader.ready()
    assert "Duration" in rows.all_inner_texts()
    assert "Scenario" not in rows.all_inner_texts()
    asked = choose(reader, "/comparisons", lambda: select(page, "Baseline").select_option(SECOND))
    assert asked["baseline"] == [SECOND]
    page.get_by_role("checkbox", name=f"Show {THIRD[:8]}").uncheck()
    page.locator("thead th").nth(3).wait_for(state="detached")
    page.get_by_role("button", name=f"Remove {FIRST}").click()
    page.get_by_role("heading", name="Compare 2 runs").wait_for()
    assert query(page.url)["compare"] == [SECOND, THIRD]
    page.get_by_role("checkbox", name=f"Show {SECOND[:8]}").uncheck()
    page.get_by_text("Show at least one run.").wait_for()
    reader.visit(f"?compare={FIRST}&compare={SECOND}&compare=no-such-run")
    page.get_by_role("button", name="Remove no-such-run").click()
    page.get_by_role("alert").wait_for(state="detached")
    page.get_by_text("Run no-such-run").wait_for(state="detached")
    assert query(page.url)["compare"] == [FIRST, SECOND]
