"""Series and charts over HTTP: the contract, from token to bytes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import pytest

from service.app import close, create_app
from service.charts.rendering import Renderer
from service.sandbox.issuer import Issuer
from service.settings import AuthSettings, RuntimeAuth, RuntimeSettings, Settings
from tests.integration.service.conftest import RUN, Service, Surroundings
from tests.integration.service.test_runs import EXECUTION
from tests.rows import each_row
from tests.servers.scripted_runtime import scripted_runtime

SERIES, CHART = f"{RUN}/series", f"{RUN}/chart"
VEGA_LITE = "application/vnd.vegalite.v6+json"


def point(value: Any, step: int | None = None, name: str = "loss", timestamp: str = "2026-03-29T01:00:00.10Z") -> Any:
    return {"name": name, "value": value, "step": step, "timestamp": timestamp}


def log(service: Service, *points: Any) -> None:
    service.runtime.say("metrics", 200, {"resources": [{"executionId": "run1", "metrics": list(points)}]})


@pytest.fixture
def logged(service: Service) -> Service:
    log(service, *(point(step % 10, step) for step in range(100)), point("NaN", 1, "accuracy"), point(7, None, "count"))
    return service


def test_a_series_with_all_that_is_said_of_it(service: Service) -> None:
    log(service, point(3, 2), point("NaN", 3), point(0.10, 1))
    answer = service.get(f"{SERIES}?timezone=Europe/Berlin")
    at = "2026-03-29T03:00:00.10+02:00"
    points = [{"step": step, "timestamp": at, "value": value} for step, value in ((1, 0.1), (2, 3), (3, "NaN"))]
    assert json.loads(answer.data) == {
        "runId": "run1",
        "timezone": "Europe/Berlin",
        "series": [
            {
                "name": "loss",
                "labels": [],
                "count": 3,
                "first": points[0],
                "last": points[2],
                "min": points[0],
                "max": points[1],
                "mean": 1.55,
                "points": points,
                "downsampled": False,
            }
        ],
    }


def test_numbers_reach_the_client_digit_for_digit(service: Service) -> None:
    body = json.dumps({"resources": [{"executionId": "run1", "metrics": [point(0, 1)]}]}).replace(
        '"value": 0', '"value": 12345678901234567890.10'
    )
    service.runtime.say("metrics", 200, body.encode())
    assert service.get(SERIES).data.count(b'"value":12345678901234567890.10') == 5


def test_a_sample_says_so(logged: Service) -> None:
    answer = logged.get(f"{SERIES}?points=10&name=loss")
    (series,) = json.loads(answer.data)["series"]
    assert (series["count"], series["downsampled"], series["mean"]) == (100, True, 4.5)
    assert len(series["points"]) <= 10
    assert [series["points"][end]["step"] for end in (0, -1)] == [0, 99]


def test_names_choose(logged: Service) -> None:
    def named(query: str) -> list[str]:
        return [one["name"] for one in json.loads(logged.get(SERIES + query).data)["series"]]

    assert named("") == ["loss", "accuracy", "count"]
    assert named("?name=count&name=loss") == ["loss", "count"]
    assert named("?name=absent") == []


def test_a_series_of_nothing_but_nan(logged: Service) -> None:
    answer = logged.get(f"{SERIES}?name=accuracy")
    (series,) = json.loads(answer.data)["series"]
    assert (series["min"], series["max"], series["mean"]) == (None, None, None)


def test_an_unreadable_timestamp_is_warned_of(service: Service) -> None:
    log(service, {**point(1, 1), "timestamp": "yesterday"}, point(2, 2))
    answer = json.loads(service.get(SERIES).data)
    assert answer["series"][0]["first"]["timestamp"] is None
    assert [(one["code"], one["count"]) for one in answer["warnings"]] == [("unreadable-timestamp", 1)]


def test_a_run_without_metrics_has_no_series(service: Service) -> None:
    log(service)
    assert json.loads(service.get(SERIES).data)["series"] == []


@each_row("points", ["1", "10001", "x", "1_000", "٣", "5.0", "-5", "", " 5"])
def test_points_out_of_bounds(service: Service, points: str) -> None:
    problem = json.loads(service.get(f"{SERIES}?points={points}").data)
    assert (problem["status"], problem["errors"][0]["parameter"]) == (400, "points")
    assert problem["errors"][0]["detail"] == "must be a whole number from 2 to 10000"


def test_a_chart_is_vega_lite_unless_asked_otherwise(logged: Service) -> None:
    answer = logged.get(f"{CHART}?name=loss&x=time&timezone=Asia/Kolkata")
    assert answer.content_type == VEGA_LITE
    assert "Asia/Kolkata" in answer.text
    svg = logged.get(f"{CHART}?name=loss", Accept="image/svg+xml")
    assert svg.content_type.startswith("image/svg+xml")
    assert ElementTree.fromstring(svg.data).attrib["role"] == "img"
    png = logged.get(f"{CHART}?name=loss&type=heatmap", Accept="text/html, image/png;q=0.5")
    assert png.content_type == "image/png"
    assert png.data.startswith(b"\x89PNG")
    assert "Content-Encoding" not in logged.get(CHART, Accept="image/png", Accept_Encoding="gzip").headers


@each_row("path", [SERIES, f"{SERIES}?points=5", CHART, f"{CHART}?type=bar"])
def test_conditional_head_and_compressed(logged: Service, path: str) -> None:
    answer = logged.get(path)
    tag = answer.headers["ETag"]
    assert logged.get(path, If_None_Match=tag).status_code == 304
    head = logged.get(path, method="HEAD")
    assert (head.data, head.headers["ETag"], head.headers["Content-Length"]) == (b"", tag, str(len(answer.data)))
    assert logged.get(path, Accept_Encoding="gzip").headers["Content-Encoding"] == "gzip"
    assert "Time-Zone" in answer.headers["Vary"]
    assert answer.headers["Cache-Status"].startswith("metric-resource; ")


def test_each_question_has_its_own_tag(logged: Service) -> None:
    queries = ["", "?points=5", "?points=6", "?name=loss", "?name=accuracy", "?name=loss&name=accuracy"]
    queries += ["?name=loss%00accuracy", "?timezone=Asia/Tokyo"]
    asked = [SERIES + query for query in queries]
    asked += [CHART + query for query in ("", "?type=bar", "?x=time", "?name=loss", "?timezone=Asia/Tokyo")]
    tags = {logged.get(path).headers["ETag"] for path in asked}
    tags |= {logged.get(CHART, Accept=image).headers["ETag"] for image in ("image/png", "image/svg+xml")}
    assert len(tags) == len(asked) + 2


def test_one_fetch_serves_all(logged: Service) -> None:
    for path in (RUN, SERIES, CHART, f"{CHART}?type=column"):
        assert logged.get(path).status_code == 200
    assert logged.runtime.asked["metrics"] == 1


@each_row(
    "query, parameter, detail",
    [
        ("?type=pie", "type", "must be line, scatter, column, bar or heatmap"),
        ("?x=value", "x", "must be step, time or elapsed"),
        ("?points=5", "points", "is not a parameter of this resource"),
        ("?name=count", "x", "none of these points has a step; available: x=time and x=elapsed"),
        ("?smooth=1", "smooth", "must be a number from 0 to 0.99"),
        ("?smooth=1_0e-1", "smooth", "must be a number from 0 to 0.99"),
        ("?smooth=1e999", "smooth", "must be a number from 0 to 0.99"),
        ("?smooth=0.5&type=bar", "smooth", "goes with type=line and type=scatter only"),
        ("?scale=square", "scale", "must be linear or log"),
        ("?minStep=2&maxStep=1", "minStep", "must not be beyond maxStep"),
    ],
)
def test_charts_that_cannot_be(logged: Service, query: str, parameter: str, detail: str) -> None:
    problem = json.loads(logged.get(CHART + query).data)
    assert (problem["status"], problem["errors"]) == (400, [{"parameter": parameter, "detail": detail}])


@pytest.mark.parametrize("path", [SERIES, CHART])
def test_both_need_the_scope(service: Service, path: str) -> None:
    answer = service.get(path, service.issuer.mint(roles=["scenario_job_viewer"]))
    assert (answer.status_code, json.loads(answer.data)["scope"]) == (403, "scenarios.metrics.read")


def test_nothing_else_is_acceptable(service: Service) -> None:
    answer = service.get(CHART, Accept="text/html")
    assert answer.status_code == 406
    assert "image/png" in json.loads(answer.data)["detail"]


@pytest.fixture
def without_extra(issuer: Issuer) -> Iterator[Service]:
    with scripted_runtime() as runtime:
        settings = Settings(
            RuntimeSettings(runtime.url, auth=RuntimeAuth.NONE),
            AuthSettings(issuers=(issuer.url,), audiences=("metric-resource",)),
        )
        app = create_app(settings, renderer=Renderer(needs="not_installed"))
        try:
            yield Service(app.test_client(), issuer, runtime, None, settings)  # type: ignore[arg-type]
        finally:
            close(app)


def test_without_the_extra_pictures_are_refused_clearly(without_extra: Service) -> None:
    answer = without_extra.get(CHART, Accept="image/png")
    assert answer.status_code == 406
    assert json.loads(answer.data)["detail"] == (
        f"this resource is available as {VEGA_LITE} (format=vegalite); "
        "SVG and PNG need the extra 'charts' of this service, which is not installed here"
    )
    assert without_extra.get(CHART, Accept=f"image/png, {VEGA_LITE};q=0.1").content_type == VEGA_LITE


def test_names_of_any_kind_are_drawn(logged: Service) -> None:
    for name in ("%00x", "%0a", "a%5c", "%EF%BF%BF", "%E2%80%AE", "constructor", "%3Cb%3E"):
        svg = logged.get(f"{CHART}?name=loss&name={name}", Accept="image/svg+xml")
        assert svg.status_code == 200
        assert "Not logged: " in "".join(ElementTree.fromstring(svg.data).itertext())


def test_a_chart_says_which_metrics_were_never_logged(logged: Service) -> None:
    notes = json.loads(logged.get(f"{CHART}?name=loss&name=nope&name=never").data)["title"]["subtitle"]
    assert "Not logged: never and nope" in notes
    assert "Not logged" not in logged.get(f"{CHART}?name=loss").text


@each_row(
    "query, count",
    [("name=loss&minStep=10&maxStep=19", 10), ("search=LOS", 100), ("search=los&until=2026-03-29T01:00:00Z", 0)],
)
def test_charts_take_the_filters_of_series(logged: Service, query: str, count: int) -> None:
    made = json.loads(logged.get(f"{CHART}?{query}").data)
    assert sum("at" in row for row in made["data"]["values"]) == count


def test_a_chart_says_what_no_point_matches(logged: Service) -> None:
    notes = json.loads(logged.get(f"{CHART}?name=loss&name=accuracy&minStep=50").data)["title"]["subtitle"]
    assert "Without a point that matches: accuracy" in notes


def test_elapsed_time_is_since_the_start_of_the_run_and_its_reader_needs_no_other_role(logged: Service) -> None:
    logged.runtime.say("execution", 200, {**EXECUTION, "startTime": "2026-03-29T00:59:00Z"})
    viewer = logged.issuer.mint(roles=["scenario_metric_viewer"])
    answer = logged.get(f"{CHART}?name=accuracy&x=elapsed", viewer)
    assert [row["at"] for row in json.loads(answer.data)["data"]["values"]] == ["60.1 s"]
    logged.runtime.say("execution", 200, {**EXECUTION, "startTime": "2026-03-29T00:58:00Z"})
    again = logged.get(f"{CHART}?name=accuracy&x=elapsed", viewer, Cache_Control="no-cache")
    assert [row["at"] for row in json.loads(again.data)["data"]["values"]] == ["120.1 s"]
    assert answer.headers["ETag"] != again.headers["ETag"]


@each_row("written", ["5e-1", "0.50", "5.0E-01", "00.5"])
def test_how_much_to_smooth_is_any_number_of_json(logged: Service, written: str) -> None:
    assert logged.get(f"{CHART}?smooth={written}").data == logged.get(f"{CHART}?smooth=0.5").data


class CountingRenderer(Renderer):
    """Counts what has a process started where there is none; ``drawing`` has it."""

    def __init__(self, drawing: Renderer) -> None:
        super().__init__()
        self._drawing = drawing
        self.prepared = self.rendered = 0

    def prepare(self) -> None:
        self.prepared += 1
        self._drawing.prepare()

    def render(self, specification: bytes, media_type: str) -> bytes:
        self.rendered += 1
        return self._drawing.render(specification, media_type)


def test_what_is_ready_starts_no_process_that_draws(surroundings: Surroundings) -> None:
    renderer = CountingRenderer(surroundings.renderer)
    with replace(surroundings, renderer=renderer).service() as service:
        log(service, *(point(step, step) for step in range(9)))
        first = service.get(CHART, Accept="image/png")
        assert service.get(CHART, Accept="image/png", Accept_Language="en").data == first.data
        assert service.get(CHART, Accept="image/png", Time_Zone="UTC", If_None_Match=first.headers["ETag"]).data == b""
        assert service.dispatched == 3, "none of these was for the response cache to answer"
        assert (renderer.prepared, renderer.rendered) == (1, 1)
