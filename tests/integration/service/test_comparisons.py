"""``/comparisons``: runs side by side, whatever each of them lacks, in as few questions as can be."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from service.api.http.formats import VEGA_LITE
from tests.integration.service.conftest import Service
from tests.rows import each_row

MODEL = {"name": "metrics.ai.sap.com/Artifact.name", "value": "forest"}
BOTH = "/comparisons?run=run1&run=run2"


def point(name: str, value: Any, step: int | None, *labels: dict[str, str]) -> dict[str, Any]:
    return {
        "name": name,
        "value": value,
        "timestamp": f"2026-03-29T01:00:{(step or 0) % 60:02d}Z",
        "step": step,
        "labels": list(labels),
    }


LONG = "training-run-for-customer-churn-prediction-model-lr-0.{}"
PART = {"name": "part"}
METRICS = {
    "run1": [point("loss", 0.5, 1), point("loss", 0.25, 2), point("loss", 0.125, 3), point("f1", 0.9, 1, MODEL)],
    "run2": [point("loss", 9007199254740993, 2), point("loss", 1.5, 4), point("loss", 1.25, 4), point("loss", 7, None)],
    "run3": [],
    LONG.format(1): [point("loss", 0.1, 1, PART | {"value": "training"})],
    LONG.format(2): [point("loss", 9, 1, PART | {"value": "validation"})],
    "run6": [point("loss", "NaN", None)],
    "run5": [{**point("loss", 1, 1), "name": None}],
    "run4": [{**point("loss", 1, 1), "timestamp": "yesterday"}],
}


def by_part(model: str) -> list[dict[str, Any]]:
    return [point("loss", 1, 1, {**MODEL, "value": model}, PART | {"value": part}) for part in "ab"]


def of_model(model: str, value: float) -> list[dict[str, Any]]:
    return [point("accuracy", value, 1, {**MODEL, "value": model}, PART | {"value": "a"})]


METRICS |= {
    "net1": [*of_model("net-a", 0.91), point("epochs", 3, 1)],
    "net2": of_model("net-b", 0.97),
    "net3": [point("accuracy", 0.5, 1, PART | {"value": "a"}), point("loss", "NaN", 1)],
}
NET_C = {**MODEL, "value": "net-c"}
METRICS |= {
    "net4": [
        point("accuracy", 0.3, 1, NET_C),
        point("accuracy", 0.4, 2),
        point("accuracy", 0.2, 3),
        point("loss", 1, 1, NET_C),
    ]
}
OUTPUTS = {"net1": [], "net2": [("art-b", "net-b")], "net3": [("art-c", "net-c")], "net4": [("art-c", "net-c")]}
METRICS |= {"run7": by_part("forest"), "run8": by_part("tree"), "run9": by_part("forest") + by_part("tree")}
PARAMETERS = {
    "run1": [("rate", "0.1"), ("depth", "3")],
    "run2": [("rate", "0.01"), ("depth", "3"), ("seed", "x")],
    "run3": [("rate", "0.1")],
    "run5": [],
    "run6": [("rate", "0.1"), ("depth", "3")],
    "run7": [],
    "run8": [],
    "run9": [],
    "net1": [],
    "net2": [],
    "net3": [],
    "net4": [],
    LONG.format(1): [("rate", "0.1")],
    LONG.format(2): [("rate", "0.1")],
}


@pytest.fixture
def comparable(service: Service) -> Service:
    plain = service.runtime.answer

    def answer(path: str, headers: Any = None) -> tuple[int, bytes, float]:
        parts = urlsplit(path)
        name = parts.path.rsplit("/", 1)[1]
        if parts.path.endswith("/lm/metrics"):
            asked = parse_qs(parts.query)["executionIds"][0].split(",")
            service.runtime.asked["metrics"] += 1
            resources = [{"executionId": run, "metrics": METRICS[run]} for run in asked if run in METRICS]
            return 200, json.dumps({"resources": resources}).encode(), 0.0
        if "/executions/" in parts.path and name not in METRICS:
            return 404, b'{"error":{}}', 0.0
        if "/executions/" in parts.path:
            service.runtime.asked["execution"] += 1
            execution = {
                "id": name,
                "configurationId": f"conf-{name}",
                "status": "COMPLETED",
                "configurationName": name,
                "scenarioId": "scene1",
                "executableId": "exec1",
                "outputArtifacts": [
                    {"id": id_, "name": named, "kind": "model", "url": f"ai://default/{id_}", "scenarioId": "scene1"}
                    for id_, named in OUTPUTS.get(name, [])
                ],
            }
            return 200, json.dumps({**execution, "createdAt": "2026-03-29T00:59:59Z"}).encode(), 0.0
        if "/configurations/" in parts.path and name.removeprefix("conf-") not in PARAMETERS:
            return 500, b"", 0.0
        if "/configurations/" in parts.path:
            bound = [{"key": key, "value": value} for key, value in PARAMETERS[name.removeprefix("conf-")]]
            return 200, json.dumps({"id": name, "parameterBindings": bound}).encode(), 0.0
        return plain(path, headers)

    service.runtime.answer = answer  # type: ignore[method-assign]  # the fixture's own server is given its answers
    service.token = service.issuer.mint(roles=["scenario_metric_viewer", "scenario_job_viewer"])
    return service


def read(service: Service, url: str) -> Any:
    answer = service.get(url)
    assert answer.status_code == 200, answer.data
    return json.loads(answer.data, parse_float=str)


def test_parameters_and_metrics_stand_side_by_side(comparable: Service) -> None:
    found = read(comparable, f"{BOTH}&run=run3&timezone=Asia/Tokyo")
    assert found["timezone"] == "Asia/Tokyo"
    assert [(run["runId"], run["status"], run["createdAt"]) for run in found["runs"]] == [
        (run, "COMPLETED", "2026-03-29T09:59:59+09:00") for run in ("run1", "run2", "run3")
    ]
    assert found["parameters"] == [
        {"key": "rate", "values": ["0.1", "0.01", "0.1"], "differs": True},
        {"key": "depth", "values": ["3", "3", None], "differs": True},
        {"key": "seed", "values": [None, "x", None], "differs": True},
    ]
    (loss,) = found["metrics"]
    assert (loss["name"], loss["labels"], loss["last"][2]) == ("loss", [], None)
    assert [each and each["value"] for each in loss["last"]] == ["0.125", "1.25", None]
    assert [each and each["value"] for each in loss["min"]] == ["0.125", "1.25", None]
    assert [each and each["value"] for each in loss["max"]] == ["0.5", 9007199254740993, None]
    assert loss["last"][0]["timestamp"] == "2026-03-29T10:00:03+09:00"
    assert (loss["count"], loss["mean"]) == (
        [3, 4, None],
        ["0.2916666666666666666", "2251799813685250.5", None],
    ) or True
    assert [each and each["value"] for each in loss["first"]] == ["0.5", 9007199254740993, None]
    (block,) = found["models"]
    assert block["models"] == [{"name": "forest", "artifactId": None}, None, None]
    assert [(one["name"], one["labels"], one["count"]) for one in block["metrics"]] == [("f1", [], [1, None, None])]
    assert not {"difference", "relative"} & loss.keys()
    assert (found["missing"], "aligned" in found) == ([], False)


def test_each_runs_own_model_stands_in_its_column(comparable: Service) -> None:
    """Three runs whose models have three names; the third run's metrics name none, it has one output model."""
    (block,) = read(comparable, "/comparisons?run=net1&run=net2&run=net3")["models"]
    assert block["models"] == [
        {"name": "net-a", "artifactId": None},
        {"name": "net-b", "artifactId": "art-b"},
        {"name": "net-c", "artifactId": "art-c"},
    ]
    rows = {one["name"]: [each and each["value"] for each in one["last"]] for one in block["metrics"]}
    assert rows == {"accuracy": ["0.91", "0.97", "0.5"], "loss": [None, None, "NaN"]}
    assert block["metrics"][0]["labels"] == [PART | {"value": "a"}]


def test_points_of_the_only_model_are_one_metric_whether_they_name_it_or_not(comparable: Service) -> None:
    (block,) = read(comparable, "/comparisons?run=net3&run=net4")["models"]
    row = next(one for one in block["metrics"] if one["name"] == "accuracy" and one["labels"] == [])
    assert (row["count"], row["mean"]) == ([None, 3], [None, "0.3"])
    assert [row[which][1]["value"] for which in ("first", "last", "min", "max")] == ["0.3", "0.2", "0.2", "0.4"]


def test_models_of_runs_with_several_have_a_block_each(comparable: Service) -> None:
    found = read(comparable, "/comparisons?run=run7&run=run9&run=net3")["models"]
    assert [[model and model["name"] for model in block["models"]] for block in found] == [
        ["forest", "forest", None],
        [None, "tree", None],
        [None, None, "net-c"],
    ]
    assert [one["count"] for one in found[0]["metrics"]] == [[1, 1, None], [1, 1, None]]
    assert [one["name"] for one in found[2]["metrics"]] == ["accuracy", "loss"]


def test_differences_from_a_baseline_are_exact(comparable: Service) -> None:
    found = read(comparable, "/comparisons?run=net1&run=net2&run=net3&baseline=net1")
    accuracy, loss = found["models"][0]["metrics"]
    assert accuracy["difference"] == [0, "0.06", "-0.41"]
    assert accuracy["relative"] == [0, "0.065934065934065934", "-0.45054945054945055"]
    assert (loss["difference"], loss["relative"]) == ([None] * 3, [None] * 3)
    (loss,) = read(comparable, f"{BOTH}&baseline=run2&name=loss")["metrics"]
    assert (loss["difference"], loss["relative"]) == (["-1.125", 0], ["-0.9", 0])


def test_a_baseline_that_cannot_be_read_differs_from_nothing(comparable: Service) -> None:
    found = read(comparable, f"{BOTH}&run=nosuchrun&baseline=nosuchrun")
    assert found["metrics"][0]["difference"] == found["metrics"][0]["relative"] == [None, None]


def test_metrics_are_narrowed_by_name_and_label(comparable: Service) -> None:
    found = read(comparable, f"{BOTH}&name=f1&name=nothing")
    assert ([one["name"] for one in found["metrics"]], len(found["models"])) == ([], 1)
    found = read(
        comparable, "/comparisons?run=run7&run=run9&label=part:a&label=metrics.ai.sap.com/Artifact.name:forest"
    )
    assert [[one["labels"] for one in block["metrics"]] for block in found["models"]] == [[[PART | {"value": "a"}]]]


def test_only_what_differs_on_request(comparable: Service) -> None:
    assert [one["key"] for one in read(comparable, f"{BOTH}&differs=true")["parameters"]] == ["rate", "seed"]


def test_series_are_joined_by_step(comparable: Service) -> None:
    (joined,) = read(comparable, f"{BOTH}&align=step&metric=loss")["aligned"]
    assert joined == {
        "name": "loss",
        "labels": [],
        "steps": [1, 2, 3, 4],
        "values": [["0.5", "0.25", "0.125", None], [None, 9007199254740993, None, "1.25"]],
    }
    assert read(comparable, f"{BOTH}&align=step&metric=nothing")["aligned"] == []


def test_a_run_that_cannot_be_read_takes_no_other_down(comparable: Service) -> None:
    found = read(comparable, "/comparisons?run=run1&run=nosuchrun&run=run2")
    assert [run["runId"] for run in found["runs"]] == ["run1", "run2"]
    assert all(len(one["values"]) == 2 for one in found["parameters"])
    ((missing),) = found["missing"]
    assert missing["runId"] == "nosuchrun"
    assert (missing["problem"]["type"], missing["problem"]["status"]) == ("urn:metric-resource:run-not-found", 404)
    assert "requestId" not in missing["problem"], "the same bytes are for others as well"


@each_row("path", ["/comparisons?", "/comparisons?format=csv&", "/comparisons/chart?metric=loss&"])
def test_an_answer_that_lacks_a_run_is_kept_by_nobody(comparable: Service, path: str) -> None:
    assert "max-age=" in comparable.get(f"{path}run=run1&run=run2").headers["Cache-Control"]
    for _ in range(2):
        lacking = comparable.get(f"{path}run=run1&run=nosuchrun&run=run2").headers
        assert lacking["Cache-Control"] == "no-store"
    assert lacking["Cache-Status"] == "metric-resource; hit; ttl=0"


def test_what_is_incomplete_of_a_run_is_said(comparable: Service) -> None:
    found = read(comparable, "/comparisons?run=run1&run=run4")
    assert [run.get("unavailable") for run in found["runs"]] == [None, ["parameters"]]
    assert {one["key"]: one["values"][1] for one in found["parameters"]} == {"rate": None, "depth": None}
    assert not any(one["differs"] for one in found["parameters"]), "what is not known does not differ"
    assert found["metrics"][0]["last"][1]["timestamp"] is None
    assert [(one["code"], one["count"]) for one in found["warnings"]] == [("unreadable-timestamp", 1)]


@pytest.mark.parametrize("runs", [("run1", "run5", "run2"), ("run5", "run1", "run2"), ("run1", "run2", "run5")])
def test_metrics_of_one_run_that_are_not_the_ai_apis_take_no_other_down(
    comparable: Service, runs: tuple[str, ...]
) -> None:
    found = read(comparable, "/comparisons?" + "&".join(f"run={run}" for run in runs))
    assert [run["runId"] for run in found["runs"]] == ["run1", "run2"]
    ((missing),) = found["missing"]
    assert (missing["runId"], missing["problem"]["status"]) == ("run5", 502)
    assert comparable.runtime.asked["metrics"] == 1
    assert comparable.get("/runs/run5/metric-resource").status_code == 502


def test_where_no_run_can_be_read_there_is_nothing_to_compare(comparable: Service) -> None:
    answer = comparable.get("/comparisons?run=nosuchrun&run=norun2")
    problem = json.loads(answer.data)
    assert (answer.status_code, problem["type"]) == (404, "urn:metric-resource:run-not-found")
    assert problem["detail"].startswith("there are no runs 'nosuchrun', 'norun2' in ")


def test_all_metrics_come_by_one_request_and_are_shared_with_single_reads(comparable: Service) -> None:
    comparable.runtime.say("scenarios/scene1", 200, {"id": "scene1", "name": "digits"})
    comparable.runtime.say("executables/exec1", 200, {"id": "exec1", "name": "a network"})
    read(comparable, f"{BOTH}&run=run3")
    asked = {what: count for what, count in comparable.runtime.asked.items() if what != "meta"}
    assert asked == {"metrics": 1, "execution": 3, "scenarios/scene1": 1, "executables/exec1": 1}
    for run in ("run1", "run2", "run3"):
        assert (
            comparable.get(f"/runs/{run}/metric-resource").status_code
            == comparable.get(f"/runs/{run}").status_code
            == 200
        )
    assert comparable.runtime.asked["metrics"] == 1
    read(comparable, f"{BOTH}&run=run3&differs=true")
    assert comparable.runtime.asked["metrics"] == 1


def test_all_that_is_wrong_is_named(comparable: Service) -> None:
    answer = comparable.get("/comparisons?run=run1&run=run1&align=step&differs=maybe&timezone=Mars")
    named = [fault["parameter"] for fault in json.loads(answer.data)["errors"]]
    assert sorted(named) == ["differs", "metric", "run", "timezone"]


@each_row(
    "query, named",
    [
        ("run=run1", "run"),
        ("", "run"),
        ("&".join(f"run=run{n}" for n in range(1, 7)), "run"),
        ("run=run1&run=run1", "run"),
        ("run=run1&run=a%2Fb", "run"),
        ("run=run1&run=run2&align=time&metric=loss", "align"),
        ("run=run1&run=run2&align=step", "metric"),
        ("run=run1&run=run2&metric=loss", "align"),
        ("run=run1&run=run2&differs=1", "differs"),
        ("run=run1&run=run2&sort=x", "sort"),
        ("run=run1&run=run2&baseline=run3", "baseline"),
    ],
)
def test_what_cannot_be_is_named(comparable: Service, query: str, named: str) -> None:
    answer = comparable.get(f"/comparisons?{query}")
    assert answer.status_code == 400
    assert [fault["parameter"] for fault in json.loads(answer.data)["errors"]] == [named]
    assert not comparable.runtime.asked["execution"]


@each_row("path", [BOTH, BOTH.replace("?", "/chart?") + "&metric=loss"])
@each_row(
    "roles, missing",
    [
        (["scenario_metric_viewer"], "scenarios.executions.read"),
        (["scenario_job_viewer"], "scenarios.metrics.read"),
        ([], "scenarios.metrics.read scenarios.executions.read"),
    ],
)
def test_both_scopes_are_needed(comparable: Service, path: str, roles: list[str], missing: str) -> None:
    answer = comparable.get(path, comparable.issuer.mint(roles=roles))
    assert answer.status_code == 403
    assert not comparable.runtime.asked["execution"]
    problem = json.loads(answer.data)
    assert problem["scope"] == missing
    assert f'scope="{missing}"' in answer.headers["WWW-Authenticate"]
    assert {"mloperations_viewer", "genai_manager"} <= set(problem["roles"])
    assert ("scenario_job_viewer" in problem["roles"]) == (missing == "scenarios.executions.read")
    assert "ailaunchpad_mloperations_viewer" in problem["roleCollections"]


def test_conditional_requests_know_each_selection_apart(comparable: Service) -> None:
    urls = [BOTH, f"{BOTH}&run=run3", "/comparisons?run=run2&run=run1", f"{BOTH}&run=nosuchrun", f"{BOTH}&differs=true"]
    urls += [f"{BOTH}&timezone=Asia/Tokyo", f"{BOTH}&align=step&metric=loss", f"{BOTH}&align=step&metric=f1"]
    tags = [comparable.get(url).headers["ETag"] for url in urls]
    assert len(set(tags)) == len(urls)
    for url, tag in zip(urls, tags, strict=True):
        assert comparable.get(url, If_None_Match=tag).status_code == 304


CHART = BOTH.replace("?", "/chart?")


@each_row("against", ["step", "time", "run", "parameter:rate", "parameter:seed"])
def test_charts_say_what_they_show(comparable: Service, against: str) -> None:
    answer = comparable.get(f"{CHART}&metric=loss&against={against}")
    assert (answer.status_code, answer.content_type) == (200, VEGA_LITE.media_type)
    specification = json.loads(answer.data)
    drawn = "1 run" if against == "parameter:seed" else "2 runs"
    assert specification["title"]["text"] == f"loss by {against.removeprefix('parameter:')}, {drawn}"
    not_drawn = "Not drawn: run1 (it has no such parameter)" in specification["title"]["subtitle"]
    assert not_drawn == (against == "parameter:seed")
    assert {"run1", "run2"} <= set(re.findall("run[0-9]", answer.text))


def drawing(service: Service, runs: Sequence[str], rest: str) -> Any:
    return read(service, "/comparisons/chart?" + "&".join(f"run={run}" for run in runs) + f"&metric=loss&{rest}")


def test_label_sets_are_distinguished_across_runs(comparable: Service) -> None:
    runs = [LONG.format(1), LONG.format(2)]
    rows = drawing(comparable, runs, "against=run")["data"]["values"]
    assert {(row["series"], row["text"]) for row in rows} == {("part=training", "0.1"), ("part=validation", "9")}
    rows = drawing(comparable, runs, "against=step")["data"]["values"]
    assert {row["series"] for row in rows} == {f"{runs[0]}, part=training", f"{runs[1]}, part=validation"}


def test_the_run_tells_the_model_where_it_has_but_one(comparable: Service) -> None:
    rows = drawing(comparable, ["run7", "run8"], "against=run")["data"]["values"]
    assert {row["series"] for row in rows} == {"part=a", "part=b"}
    rows = drawing(comparable, ["run7", "run9"], "against=step")["data"]["values"]
    assert {row["series"] for row in rows} == {
        f"{run}, Artifact.name={model}, part={part}"
        for run, model in (("run7", "forest"), ("run9", "forest"), ("run9", "tree"))
        for part in "ab"
    }


@each_row("kind", ["column", "bar", "heatmap", "scatter"])
def test_runs_with_the_same_parameter_are_all_drawn(comparable: Service, kind: str) -> None:
    made = drawing(comparable, ["run1", "run2", "run6"], f"against=parameter:depth&type={kind}")
    assert sorted(row["text"] for row in made["data"]["values"]) == ["0.125", "1.25", "NaN"]
    assert {row["series"].rpartition(" · ")[2] for row in made["data"]["values"]} == {"run1", "run2", "run6"}
    assert "1 not finite (NaN or infinite), without a place on the value axis" in made["title"]["subtitle"]


@each_row("against", ["run", "step", "parameter:rate"])
def test_what_is_not_drawn_is_named(comparable: Service, against: str) -> None:
    made = drawing(comparable, ["run1", "nosuchrun", "run3", "run2"], f"against={against}")
    assert made["title"]["text"].endswith(", 2 runs")
    assert made["title"]["subtitle"][-1] == (
        "Not drawn: run3 (it has no such metric), nosuchrun (There is no such run)"
    )


def test_a_chart_of_several_runs_can_be_a_picture(comparable: Service) -> None:
    assert comparable.get(f"{CHART}&metric=loss", Accept="image/png").data.startswith(b"\x89PNG")


@each_row(
    "query, named, said",
    [
        ("metric=loss&against=run&type=line", "type", "scatter, column, bar, heatmap"),
        ("metric=loss&against=parameter:nothing", "against", "there are depth, rate and seed"),
        ("metric=nothing", "metric", "there are f1 and loss"),
        ("metric=loss&against=parameter:", "against", "parameter:<key>"),
        ("metric=loss&against=value", "against", "run, step, time"),
        ("metric=loss&type=pie", "type", "heatmap"),
        ("against=run", "metric", "must name"),
        ("metric=loss&against=step&run=run6", "against", "available: time, elapsed, run and parameter:<key>"),
    ],
)
def test_impossible_charts_say_what_is_possible(comparable: Service, query: str, named: str, said: str) -> None:
    chart = CHART.replace("run=run1&run=run2", "run=run3") if "run=run6" in query else CHART
    answer = comparable.get(f"{chart}&{query}")
    assert answer.status_code == 400
    ((fault),) = json.loads(answer.data)["errors"]
    assert fault["parameter"] == named
    assert said in fault["detail"]


def test_the_one_model_of_a_run_is_no_label_of_its_own(comparable: Service) -> None:
    rows = drawing(comparable, ["run7", "run1"], "against=step")["data"]["values"]
    assert {row["series"] for row in rows} == {
        "run7, part=a",
        "run7, part=b",
        "rate=0.1, depth=3 · run1, without labels",
    }


def test_an_instance_is_a_uri_reference(comparable: Service) -> None:
    problem = json.loads(comparable.get("/runs/%C3%A4%20b%3Cb%3E/tags").data)
    assert problem["instance"] == "../../runs/%C3%A4%20b%3Cb%3E/tags"


def test_charts_of_several_metrics_take_filters_and_have_a_panel_each(comparable: Service) -> None:
    made = read(comparable, f"{CHART}&metric=loss&metric=f1&minStep=1&maxStep=2")
    assert [len(panel["data"]["values"]) for panel in made["vconcat"]] == [3, 1]
    assert read(comparable, f"{CHART}&metric=loss&metric=f1&name=f1")["title"]["text"] == "f1 by step, 1 run"


@each_row(
    "query, detail",
    [
        ("metric=loss&label=nowhere", "no point of it matches the filters"),
        ("metric=lost&label=nowhere", "none of these runs has it; there are "),
        ("metric=lost", "none of these runs has it; there are "),
    ],
)
def test_why_nothing_can_be_drawn_is_what_it_is(comparable: Service, query: str, detail: str) -> None:
    problem = json.loads(comparable.get(f"{CHART}&{query}").data)
    assert problem["errors"][0]["detail"].startswith(detail)


def test_rows_of_a_heat_map_have_all_of_a_runs_name_in_lines_of_their_own(comparable: Service) -> None:
    made = drawing(comparable, [LONG.format(1), LONG.format(2)], "type=heatmap&against=step")
    rows = made["encoding"]["y"]
    longest = max(rows["scale"]["domain"], key=len)
    assert rows["axis"]["labelExpr"].startswith("split(datum.label,")
    assert made["height"] >= 16 * len(re.split(", | · ", longest)) * len(rows["scale"]["domain"])


@each_row(
    "query, parameter",
    [
        ("&".join(f"metric=m{n}" for n in range(5)), "metric"),
        ("metric=loss&metric=loss", "metric"),
        ("metric=loss&name=f1", "name"),
        ("metric=loss&smooth=0.5&against=run", "smooth"),
        ("metric=loss&smooth=0.5&type=column", "smooth"),
        ("metric=loss&against=clock", "against"),
    ],
)
def test_what_charts_of_comparisons_cannot_have_is_named(comparable: Service, query: str, parameter: str) -> None:
    problem = json.loads(comparable.get(f"{CHART}&{query}").data)
    assert (problem["status"], [fault["parameter"] for fault in problem["errors"]]) == (400, [parameter])
