"""How charts are drawn: elapsed time, logarithmic axes, smoothing, gaps; runs by colour, label sets by dash."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.charts import scales
from service.charts.panels import ChartType
from service.domain.errors import InvalidParameter
from service.domain.metrics import Chunk
from testing.work import lines
from tests.rows import each_row
from tests.unit.charts import compared, vega_lite
from tests.unit.charts.compared import LoggedRun
from tests.unit.charts.drawn import drawn, encodings, panels, rows, specification
from tests.unit.domain.series.logged import chunks, point

STARTS = ("2026-01-01T00:00:00Z", "2026-06-01T12:00:00.25Z")


def time(seconds: int) -> str:
    return f"2026-01-01T{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.125Z"


def subtitle(made: dict[str, Any]) -> str:
    return " ".join(made["title"]["subtitle"])


def run(number: int, *texts: bytes, start: str | None = STARTS[0], **parameters: str) -> LoggedRun:
    made = chunks([*texts], 100)
    return LoggedRun(f"{number}aaaaaaa-0000-4000-8000-00000000000{number}", made, "network", parameters, start)


def against(runs: list[LoggedRun], axis: str = "step", **how: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(compared.specification(runs, "loss", axis, **how))
    vega_lite.validate(found)
    return found


@each_row("kind", list(ChartType))
def test_elapsed_time_counts_exactly_from_the_start(kind: str) -> None:
    made = drawn(*(point(1, n, time(60 * n)) for n in range(5)), against="elapsed", kind=kind)
    vega_lite.validate(made)
    assert [row["at"] for row in rows(made)] == ["0.125 s", "60.125 s", "120.125 s", "180.125 s", "240.125 s"]
    if kind in {"line", "scatter"}:
        (axis,) = encodings(made, "x")
        assert axis["title"] == "Time since the run's start (min)"
        assert axis["axis"]["values"][:3] == [0.0, 30.0, 60.0]
        assert axis["axis"]["labelExpr"] == "format(datum.value/60.0,',.1f')"


def test_a_run_without_a_start_says_so() -> None:
    with pytest.raises(InvalidParameter, match="no start time to count from; available: x=step and x=time"):
        drawn(point(1, 1, time(0)), against="elapsed", start=None)
    detail = "available: step, time, run and parameter:<key>"
    with pytest.raises(InvalidParameter, match=detail):
        against([run(1, point(1, 1, time(0)), start=None), run(2, point(1, 1, time(1)), start=None)], "elapsed")
    made = against([run(1, point(1, 1, time(0)), start=None), run(2, point(1, 1, time(1)))], "elapsed")
    assert "(it has no start time)" in subtitle(made)
    assert len(rows(made)) == 1


def test_each_run_of_a_comparison_counts_from_its_own_start() -> None:
    made = against(
        [
            run(1, point(1, 1, "2026-01-01T00:00:01Z"), start=STARTS[0]),
            run(2, point(1, 1, "2026-06-01T12:00:01.25Z"), start=STARTS[1]),
        ],
        "elapsed",
    )
    assert [row["x"] for row in rows(made)] == [1, 1]


@each_row("kind", list(ChartType))
def test_a_logarithmic_axis_leaves_out_what_it_has_no_place_for(kind: str) -> None:
    made = drawn(*(point(value, n) for n, value in enumerate([100, 0, -1, 0.01, "NaN", 1])), kind=kind, scale="log")
    vega_lite.validate(made)
    assert [row["text"] for row in rows(made)] == ["100", "0.01", "NaN", "1"]
    assert "2 not greater than 0, left out: the axis is logarithmic" in made["title"]["subtitle"]
    channel = {"bar": "x", "heatmap": "color"}.get(kind, "y")
    assert next(encodings(made, channel))["scale"]["type"] == "log"


def test_a_logarithmic_axis_counts_all_points_of_a_sample() -> None:
    made = drawn(*(point(math.sin(n), n) for n in range(3000)), scale="log")
    count = sum(math.sin(n) <= 0 for n in range(3000))
    assert f"{count:,} not greater than 0, left out: the axis is logarithmic" in made["title"]["subtitle"]
    assert len(rows(made)) > 300


@each_row("axis", ["step", "run", "parameter:rate"])
def test_where_nothing_is_positive_a_logarithmic_chart_says_so_and_has_no_points(axis: str) -> None:
    compared = against([run(1, point(0, 1), rate="1"), run(2, point(-1, 1), rate="2")], axis, scale="log")
    for made, left_out in ((compared, 2), (drawn(point(0, 1), scale="log"), 1)):
        vega_lite.validate(made)
        assert made["mark"] == {"type": "text", "text": "No points"}
        assert f"{left_out} not greater than 0, left out: the axis is logarithmic" in made["title"]["subtitle"]


@given(st.lists(st.floats(5e-324, 8e307), min_size=1, max_size=9), st.booleans())
def test_logarithmic_axes_hold_all_values_and_have_few_ticks(values: list[float], nice: bool) -> None:
    made = scales.logarithmic(values, 6, nice=nice)
    assert 0 < made.domain[0] <= min(values) <= max(values) <= made.domain[1]
    assert 1 <= len(made.ticks) <= 9
    assert list(made.ticks) == sorted({*made.ticks})
    assert made.domain[0] <= made.ticks[0] <= made.ticks[-1] <= made.domain[1]


@pytest.mark.parametrize("kind", ["line", "scatter"])
def test_smoothing_leaves_the_data_as_logged(kind: str) -> None:
    texts = [point(value, n) for n, value in enumerate([1, 3, 2, "NaN", 4])]
    made, plain = (drawn(*texts, kind=kind, smooth=smooth) for smooth in (0.5, 0))
    vega_lite.validate(made)
    bare = [{name: value for name, value in row.items() if name != "mean"} for row in rows(made)]
    assert bare == rows(plain)
    assert [row.get("mean") for row in rows(made)] == pytest.approx([1, 7 / 3, 15 / 7, None, 47 / 15])
    assert "Smoothed: moving mean with weight 0.5, over all points; faint: as logged" in made["title"]["subtitle"]
    raw, mean = made["layer"][:2]
    assert raw["mark"]["opacity"] < 0.5
    assert (raw["encoding"]["y"]["field"], mean["encoding"]["y"]["field"]) == ("value", "mean")


def test_a_gap_parts_the_line_and_the_caption_says_so() -> None:
    times = [*range(10), *range(7200, 7210)]
    made = drawn(*(point(n, n, time(second)) for n, second in enumerate(times)), against="time")
    assert [row.get("part", 0) for row in rows(made)] == [0] * 10 + [1] * 10
    assert "The line breaks at a gap of 120 min: over 20 times the median distance of points" in subtitle(made)
    assert next(encodings(made, "detail"))["field"] == "part"
    by_step = drawn(*(point(n, n, time(second)) for n, second in enumerate(times)))
    assert "breaks" not in subtitle(by_step)
    assert not list(encodings(by_step, "detail"))


def both(start: float) -> list[bytes]:
    return [point(start + n, n, time(n), dataset=part) for part in ("train", "test") for n in range(3)]


def test_runs_have_colours_and_label_sets_have_dashes() -> None:
    made = against([run(1, *both(1), rate="0.1"), run(2, *both(2), rate="0.2")])
    colour, dash = next(encodings(made, "color")), next(encodings(made, "strokeDash"))
    assert colour["field"] == "run"
    assert colour["scale"]["domain"] == ["rate=0.1 · 1aaaaaaa", "rate=0.2 · 2aaaaaaa"]
    assert (dash["field"], dash["scale"]["domain"]) == ("labels", ["dataset=train", "dataset=test"])
    assert dash["scale"]["range"][0] == [1, 0]
    assert next(encodings(against([run(1, *both(1)), run(2, *both(2))], kind="scatter"), "shape"))["field"] == "labels"


def test_a_run_is_named_by_its_configuration_too_where_that_differs() -> None:
    runs = [run(1, *both(1), same="x"), run(2, *both(2), same="x")]
    other = LoggedRun(runs[1].run_id, runs[1].chunks, "forest", runs[1].parameters)
    colour = next(encodings(against([runs[0], other]), "color"))
    assert colour["scale"]["domain"] == ["network · 1aaaaaaa", "forest · 2aaaaaaa"]


@each_row(
    "kind, most, channel",
    [("line", 6, "strokeDash"), ("scatter", 8, "shape"), ("column", 3, "opacity"), ("bar", 3, "opacity")],
)
def test_of_more_label_sets_than_dashes_each_series_is_named_by_run_and_labels(
    kind: str, most: int, channel: str
) -> None:
    def made(label_sets: int) -> dict[str, Any]:
        texts = [point(n, n, label=str(number)) for number in range(label_sets) for n in range(2)]
        return against([run(1, *texts), run(2, *texts)], "step", kind=kind)

    assert next(encodings(made(most), "color"))["field"] == "run"
    more = made(most + 1)
    vega_lite.validate(more)
    colour, looks = next(encodings(more, "color")), next(encodings(more, channel), None)
    domain = colour["scale"]["domain"]
    assert (colour["field"], len(set(domain)), {row["series"] for row in rows(more)}) == (
        "series",
        2 * (most + 1),
        set(domain),
    )
    assert all("aaaaaaa, label=" in name for name in domain)
    shown = [colour["scale"]["range"], *([] if looks is None else [map(str, looks["scale"]["range"])])]
    assert len(set(zip(*shown, strict=True))) == len(domain)


@each_row("axis", ["step", "elapsed", "run"])
def test_several_metrics_have_a_panel_each_and_one_legend(axis: str) -> None:
    texts = [*both(1), *(point(n, n, time(n), name="accuracy", dataset="test") for n in range(3))]
    made = against([run(1, *texts), run(2, *texts)], axis, more=["accuracy"])
    assert [next(encodings(panel, "y"))["title"] for panel in panels(made)] == ["loss", "accuracy"]
    assert made["title"]["text"].startswith("loss and accuracy by ")
    assert made["resolve"]["legend"]["color"] == "shared"
    if axis != "run":
        assert {row["labels"] for row in rows(made["vconcat"][1])} == {"dataset=test"}


def test_the_same_label_sets_have_the_same_colours_in_all_panels() -> None:
    made = drawn(*(point(n, n, name=name, part=part) for name in "ab" for part in "xy" for n in range(3)))
    assert made["resolve"]["legend"]["color"] == "shared"
    apart = drawn(*(point(n, n, name=name, part=name + str(k)) for name in "ab" for k in range(5) for n in range(3)))
    assert apart["resolve"]["legend"]["color"] == "independent"


def made_of(count: int) -> list[Chunk]:
    return chunks([point(math.sin(n), n, time(n)) for n in range(count)], 2000)


@each_row("how", [{"smooth": 0.9}, {"scale": "log"}, {"against": "elapsed"}])
def test_drawing_is_linear_in_the_points(how: dict[str, Any]) -> None:
    work = [lines(lambda count=count: specification(made_of(count), **how)) for count in (2000, 4000)]
    assert work[1] < 2.2 * work[0]
