"""What charts show and say, read from their specifications."""

from __future__ import annotations

import json

import jsonschema
import pytest

from service.charts.captions import apart
from service.charts.panels import Axis, AxisKind, Caption, ChartType, Mark, Panel, Trace
from service.charts.specification import chart
from service.charts.style import PALETTE
from service.charts.x_axis import Against
from service.domain.errors import InvalidParameter
from service.sandbox import recorded
from testing.effort import effort
from tests.rows import each_row
from tests.unit.charts import vega_lite
from tests.unit.charts.drawn import drawn, encodings, panels, recording, rows, specification
from tests.unit.domain.series.logged import chunks, point

TYPES = [str(kind) for kind in ChartType]
DRAWABLE = [name for name in recorded.names() if name != "wine-silent"]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        pytest.param(name, kind, marks=[pytest.mark.slow] if (number - turn) % len(TYPES) else [])
        for number, name in enumerate(DRAWABLE)
        for turn, kind in enumerate(TYPES)
    ],
)
def test_every_recorded_run_makes_vega_lite(name: str, kind: str) -> None:
    """Each kind against each axis is drawn; of each run, all of that with ``THOROUGH=1``."""
    turn = DRAWABLE.index(name) + TYPES.index(kind)
    for against in effort([[*Against][turn % len(Against)]], [*Against]):
        made = json.loads(specification(recording(name), against, kind))
        vega_lite.validate(made)
        assert made["description"].startswith(f"{kind.title()} chart: {made['title']['text']}. Run run-1.")
        for axis in ("x", "y"):
            named = [one["title"] for one in encodings(made, axis) if "title" in one]
            assert named


def test_the_schema_refuses_what_is_not_vega_lite() -> None:
    with pytest.raises(jsonschema.ValidationError):
        vega_lite.validate({"data": {"values": []}, "mark": "line", "encoding": {"x": {"field": "x", "type": "wrong"}}})


def test_digits_pass_through() -> None:
    text = b'{"name":"n","labels":[],"value":0.10,"step":9007199254740993,"timestamp":null}'
    assert b'"value":0.10,' in specification(chunks([text], 1))
    assert b'"x":9007199254740993}' in specification(chunks([text], 1))


def test_time_is_the_callers_clock_whatever_the_viewers() -> None:
    made = drawn(
        point(1, 1, "2026-03-29T00:59:59.1239Z"),
        point(2, 2, "2026-03-29T01:00:00Z"),
        against="time",
        zone="Europe/Berlin",
    )
    assert [row["x"] for row in rows(made)] == [1774745999123.9, 1774746000000]
    assert [row["at"] for row in rows(made)] == ["2026-03-29T01:59:59.1239+01:00", "2026-03-29T03:00:00+02:00"]
    (axis,) = encodings(made, "x")
    assert axis["title"] == "Time on 2026-03-29 (Europe/Berlin)"
    assert axis["scale"] == {"type": "utc", "domain": {"expr": "[1774745999123,1774746000000]"}}
    assert "'03:00:00.000'" in axis["axis"]["labelExpr"]


@each_row("kind", TYPES)
@each_row("timestamp", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z"])
def test_the_ends_of_time_are_drawn(timestamp: str, kind: str) -> None:
    vega_lite.validate(drawn(point(1, 1, timestamp), point(2, 2, timestamp), kind=kind, against="time"))


def test_several_days_are_on_the_axis() -> None:
    made = drawn(point(1, 1, "2026-03-29T00:00:00Z"), point(2, 2, "2026-03-30T00:00:00Z"), against="time")
    (axis,) = encodings(made, "x")
    assert axis["title"] == "Time (UTC)"
    assert "'03-29 12:00'" in axis["axis"]["labelExpr"]


def test_what_is_not_finite_is_no_number_and_reported() -> None:
    made = drawn(point(1.5, 1), point("NaN", 2), point("-Infinity", 3), point(2.5, 4))
    assert [(row["value"], row["text"]) for row in rows(made)] == [
        (1.5, "1.5"),
        (None, "NaN"),
        (None, "-Infinity"),
        (2.5, "2.5"),
    ]
    assert "2 not finite (NaN or infinite), without a place on the value axis" in made["title"]["subtitle"]
    vega_lite.validate(made)


def test_a_number_that_javascript_cannot_hold_is_too_large() -> None:
    made = drawn(b'{"name":"n","labels":[],"value":1e999,"step":1,"timestamp":null}')
    assert [(row["value"], row["text"]) for row in rows(made)] == [(None, "1e999")]
    assert "1 too large to be drawn, without a place on the value axis" in made["title"]["subtitle"]


def test_finite_values_without_a_place_are_not_called_infinite() -> None:
    subtitle = drawn(point(1e308, 1), point(-1e308, 2), point("Infinity", 3), point(1, 4))["title"]["subtitle"]
    assert "2 too large to be drawn, without a place on the value axis" in subtitle
    assert "1 not finite (NaN or infinite), without a place on the value axis" in subtitle


def test_points_without_a_place_are_reported() -> None:
    made = drawn(point(1, 1), point(2, None))
    assert len(rows(made)) == 1
    assert "1 without a step, not drawn" in made["title"]["subtitle"]


@pytest.mark.parametrize(("against", "other"), [("step", "time"), ("time", "step")])
def test_no_point_with_a_place_is_refused_with_what_is_possible(against: str, other: str) -> None:
    lacking = point(1, None if against == "step" else 1, None if against == "time" else "2026-01-01T00:00:00Z")
    with pytest.raises(InvalidParameter) as refused:
        drawn(lacking, against=against)
    assert refused.value.faults[0].parameter == "x"
    assert refused.value.faults[0].detail.endswith(f"available: x={other} and x=elapsed")


@each_row("kind", TYPES)
def test_nothing_logged_is_an_empty_chart(kind: str) -> None:
    made = drawn(kind=kind)
    vega_lite.validate(made)
    assert made["mark"]["text"] == made["title"]["text"] == "No points"


def test_a_sample_says_so() -> None:
    made = drawn(*(point(step % 7, step) for step in range(2000)))
    assert len(rows(made)) <= 500
    assert f"{len(rows(made))} of 2,000 points, chosen so that the picture stays" in made["title"]["subtitle"]
    assert "loss: 2,000 points, first 0, last 4, least 0, greatest 6" in made["description"]


@each_row("kind", ["column", "bar", "heatmap"])
@each_row("against", list(Against))
def test_no_two_marks_share_a_slot(kind: str, against: str) -> None:
    texts = [point(step, step, f"2026-01-01T00:00:00.{step:03d}Z", l=str(step % 3)) for step in range(300)]
    made = drawn(*texts, kind=kind, against=against)
    places = [(row["slot"], row["series"]) for row in rows(made)]
    assert len(set(places)) == len(places)
    note = f"{len(places)} of these 300 drawn: the last at each stretch of the axis"
    assert (note in made["title"]["subtitle"]) == (len(places) < 300)
    assert max(row["value"] for row in rows(made)) == 299


@each_row("kind", ["column", "bar", "heatmap"])
def test_points_at_one_place_are_reported(kind: str) -> None:
    made = drawn(*(point(value, 0) for value in range(5)), kind=kind)
    assert [row["value"] for row in rows(made)] == [4]
    assert "1 of these 5 drawn: the last at each place of the axis" in made["title"]["subtitle"]


@pytest.mark.parametrize(
    ("day", "how"),
    [("2026-10-25", "times that come twice have their offset"), ("2026-03-29", "times that were skipped are missing")],
)
def test_a_change_of_the_clocks_is_reported(day: str, how: str) -> None:
    times = [f"{day}T{hour:02d}:{minute:02d}:00Z" for hour in (0, 1) for minute in (0, 30)]
    texts = [point(step, step, time) for step, time in enumerate(times)]
    said = f"The clocks change in between: {how}"
    assert said in drawn(*texts, against="time", zone="Europe/Berlin")["title"]["subtitle"]
    assert said not in drawn(*texts, against="time")["title"]["subtitle"]
    assert said not in drawn(*texts, zone="Europe/Berlin")["title"]["subtitle"]


def test_one_step_for_all_says_what_shows_more() -> None:
    said = "All points have the same step: x=time shows more"
    texts = [point(value, 0, f"2026-01-01T00:00:0{value}Z") for value in range(3)]
    assert said in drawn(*texts)["title"]["subtitle"]
    assert said not in drawn(*texts, against="time")["title"]["subtitle"]
    assert said not in drawn(*(point(value, 0) for value in range(3)))["title"]["subtitle"]
    assert (
        said
        not in drawn(point(1, 0, "2026-01-01T00:00:01Z"), point(1, 0, "2026-01-01T00:00:02Z", name="other"))["title"][
            "subtitle"
        ]
    )
    at_once = [point(step, step, "2026-01-01T00:00:00Z") for step in range(3)]
    assert (
        "All points have the same timestamp: x=step shows more" in drawn(*at_once, against="time")["title"]["subtitle"]
    )


def test_instants_of_different_nanoseconds_are_not_called_the_same() -> None:
    texts = [point(number, number, f"2026-01-01T00:00:00.00000000{number}Z") for number in range(3)]
    assert "same timestamp" not in " ".join(drawn(*texts, against="time")["title"]["subtitle"])


@each_row(
    "against, beyond, said",
    [
        ("step", point(1, 10**400), "1 with a step that no axis can show, not drawn"),
        ("time", point(1, 1, "0001-01-01T00:00:00+05:00"), "1 with a timestamp that no axis can show, not drawn"),
        ("elapsed", point(1, 1, "9999-12-31T23:59:59-05:00"), "1 with a timestamp that no axis can show, not drawn"),
    ],
)
def test_what_has_a_place_beyond_the_axis_is_not_said_to_have_none(against: str, beyond: bytes, said: str) -> None:
    made = drawn(beyond, point(2, 2, "2026-01-01T00:00:00Z"), against=against)
    assert said in made["title"]["subtitle"]
    assert not any("without" in line for line in made["title"]["subtitle"])
    with pytest.raises(InvalidParameter) as refused:
        drawn(beyond, against=against)
    assert "that an axis can show; available: " in refused.value.faults[0].detail


def test_points_without_a_step_are_shown_by_time() -> None:
    made = drawn(point(1, 1), point(2, None, "2026-01-01T00:00:00Z"))
    assert "1 without a step, not drawn: x=time shows it" in made["title"]["subtitle"]


def test_names_made_to_be_apart_are_apart() -> None:
    assert apart(["x", "x", "x (2)", "x (2)", "y"]) == ["x", "x (3)", "x (2)", "x (2) (2)", "y"]


def test_columns_of_long_series_show_the_last_point_of_each_stretch() -> None:
    made = drawn(*(point(step % 10, step) for step in range(9600)), kind="column")
    assert [row["value"] for row in rows(made)] == [9] * 80


def test_scattered_samples_say_that_they_favour_extremes() -> None:
    note = "The extremes of each part are among them: dense parts have more points than are drawn"
    assert note in drawn(*(point(step % 7, step) for step in range(2000)), kind="scatter")["title"]["subtitle"]
    assert note not in drawn(*(point(step, step) for step in range(20)), kind="scatter")["title"]["subtitle"]


def test_few_steps_have_a_column_each() -> None:
    made = drawn(*(point(step, step) for step in (1, 2, 10)), kind="column")
    assert [(row["slot"], row["value"]) for row in rows(made)] == [("1", 1), ("2", 2), ("10", 10)]
    assert made["title"]["subtitle"] == ["Run run-1"]


def test_each_metric_has_its_panel_and_unit() -> None:
    made = drawn(point(1, 1, name="loss"), point(2, 1, name="epoch_seconds"), point(3, 1, name="loss", l="x"))
    assert [next(encodings(panel, "y"))["title"] for panel in panels(made)] == ["loss", "epoch_seconds (s)"]


def test_series_are_named_by_what_distinguishes_them() -> None:
    label = "metrics.ai.sap.com/Artifact.name"
    made = drawn(
        point(1, 1, **{label: "model", "dataset": "train"}),
        point(2, 1, **{label: "model", "dataset": "test"}),
        point(3, 1, **{label: "model"}),
    )
    (colour,) = encodings(made, "color")
    assert colour["scale"] == {
        "domain": ["dataset=train", "dataset=test", "without labels"],
        "range": list(PALETTE[:3]),
    }


def test_names_that_would_be_cut_alike_stay_apart() -> None:
    made = drawn(*(point(1, 1, l="x" * 100 + end) for end in "ab"))
    (colour,) = encodings(made, "color")
    assert len(set(colour["scale"]["domain"])) == 2


def test_more_series_than_colours_differ_in_their_dashes() -> None:
    made = drawn(*(point(value, step, l=str(value)) for value in range(9) for step in (1, 2)))
    colour, dash = next(encodings(made, "color")), next(encodings(made, "strokeDash"))
    looks = list(zip(colour["scale"]["range"], map(tuple, dash["scale"]["range"]), strict=True))
    assert len(set(looks)) == 9


@pytest.mark.parametrize(
    "texts", [[point(1, 1, name=f"m{number}") for number in range(9)], [point(1, 1, l=str(n)) for n in range(25)]]
)
def test_too_much_to_be_distinguished_is_refused(texts: list[bytes]) -> None:
    with pytest.raises(InvalidParameter, match="a chart shows up to") as refused:
        drawn(*texts)
    assert refused.value.faults[0].parameter == "name"


def test_categories_have_no_line_between_them() -> None:
    axis = Axis("Run", AxisKind.CATEGORY, "against", "run")
    marks = [Mark(json_text(run), float(number), json_text(0.5), run, "0.5") for number, run in enumerate(("a", "b"))]
    caption = Caption("loss by run", ())
    with pytest.raises(InvalidParameter, match="with against=run it can be scatter, column, bar, heatmap"):
        chart([Panel("loss", [Trace("loss", marks)])], axis, ChartType.LINE, caption)
    for kind in (ChartType.SCATTER, ChartType.COLUMN, ChartType.BAR, ChartType.HEATMAP):
        vega_lite.validate(json.loads(chart([Panel("loss", [Trace("loss", marks)])], axis, kind, caption)))


def json_text(value: object):
    from msgspec import Raw

    return Raw(json.dumps(value).encode())


@each_row("kind", ["line", "scatter", "column"])
@each_row("against", ["step", "time"])
def test_a_number_that_goes_on_and_on_is_drawn_and_told_as_far_as_it_can_be_read(kind: str, against: str) -> None:
    stamps = [f"2026-01-01T00:00:0{number}.{'0' * 50_000}1Z" for number in range(3)]
    texts = [
        point(1, 2, stamps[number])
        .replace(b'"value": 1', f'"value": 0.{number}{"0" * 50_000}1'.encode())
        .replace(b'"step": 2', f'"step": {number + 1}{"0" * 200}'.encode())
        for number in range(3)
    ]
    written = specification(chunks(texts, 3), against, kind)
    assert len(written) < 100_000
    made = json.loads(written)
    assert [row["value"] for row in rows(made)] == [0.0, 0.1, 0.2]
    assert {row["text"][:4] for row in rows(made)} == {"0.00", "0.10", "0.20"}
    assert all(row["text"].endswith("0…") for row in rows(made))


def test_names_and_labels_are_told_as_far_as_they_can_be_read() -> None:
    made = drawn(point(1, 1, name="n" * 50_000, label="l" * 50_000))
    assert len(json.dumps(made)) < 20_000
    assert f"{'n' * 299}… (label={'l' * 293}…): 1 points" in made["description"]
