"""What charts leave out, of all points of a series, and in which order they draw the others."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.errors import InvalidParameter
from tests.rows import each_row
from tests.unit.charts import compared
from tests.unit.charts.compared import LoggedRun
from tests.unit.charts.drawn import START, drawn, rows
from tests.unit.domain.series.logged import chunks, point

NO_STEP = "without a step, not drawn"
NO_TIME = "without a timestamp, not drawn"
SAMPLED = "points, chosen so that the picture stays"
NOT_POSITIVE = "not greater than 0, left out: the axis is logarithmic"
TOO_SMALL = "too small to be drawn, left out: the axis is logarithmic"
NOT_FINITE = "not finite (NaN or infinite), without a place on the value axis"
TOO_LARGE = "too large to be drawn, without a place on the value axis"


def time(second: float) -> str:
    return f"2026-01-01T{int(second // 3600):02d}:{int(second // 60) % 60:02d}:{int(second % 60):02d}Z"


def valued(literal: str, step: object, timestamp: str | None = None) -> bytes:
    return point(77.5, step, timestamp).replace(b"77.5", literal.encode())


def charts(texts: list[bytes], axis: str, **how: Any) -> list[dict[str, Any]]:
    """The chart of a run, and the comparison of that run."""
    run = LoggedRun("run-1", chunks(texts, 100), start=START)
    return [drawn(*texts, against=axis, **how), json.loads(compared.specification([run], against=axis, **how))]


def said(made: dict[str, Any]) -> str:
    return " ".join(made["title"]["subtitle"])


def count(made: dict[str, Any], note: str) -> int:
    """The number before a note, 0 without it."""
    found = re.search(rf"([\d,]+) {re.escape(note)}", said(made))
    return int(found[1].replace(",", "")) if found else 0


@each_row("kind", ["line", "scatter"])
@each_row("axis", ["step", "time", "elapsed"])
def test_points_are_sampled_from_those_with_a_place(axis: str, kind: str) -> None:
    by_step = axis == "step"
    texts = [
        point(n % 7, n if placed or not by_step else None, time(n) if placed or by_step else None)
        for n in range(1200)
        for placed in [n % 3 == 0]
    ]
    for made in charts(texts, axis, kind=kind):
        assert len(rows(made)) == 400
        assert count(made, NO_STEP if by_step else NO_TIME) == 800
        assert SAMPLED not in said(made)
        assert "extremes" not in said(made)


@each_row("literal, note", [("null", "without a value, not drawn"), ("1e400", TOO_LARGE), ('"NaN"', NOT_FINITE)])
@each_row("axis", ["step", "time"])
def test_values_that_are_not_drawn_are_counted_in_all_points(axis: str, literal: str, note: str) -> None:
    texts = [valued(literal if 700 <= n < 703 else str(n % 9), n, time(n)) for n in range(1004)]
    for made in charts(texts, axis):
        assert count(made, note) == 3
        drawable = 1001 if literal == "null" else 1004
        assert f"{len(rows(made))} of {drawable:,} {SAMPLED}" in said(made)
        assert 480 < len(rows(made)) <= 500


def test_points_are_sampled_from_those_that_a_logarithmic_axis_shows() -> None:
    logged = ["NaN"] * 3 + [-1] * 299 + [2.5] * 298
    for made in charts([point(value, n) for n, value in enumerate(logged)], "step", scale="log"):
        assert sum(row["value"] is None for row in rows(made)) == 3
        assert len(rows(made)) == 301
        assert (count(made, NOT_FINITE), count(made, NOT_POSITIVE)) == (3, 299)
        assert SAMPLED not in said(made)


@each_row("logged, shown", [([-1, 2], 250), ([-1], 0), ([2], 501)])
def test_a_sample_is_one_only_where_drawable_points_are_left_out(logged: list[int], shown: int) -> None:
    for made in charts([point(logged[n % len(logged)], n) for n in range(501)], "step", scale="log"):
        assert count(made, NOT_POSITIVE) == 501 - shown
        assert (SAMPLED in said(made)) == (shown > 500)


def test_the_sample_of_a_logarithmic_chart_counts_those_that_it_could_show() -> None:
    for made in charts([point(n % 3 - 1, n) for n in range(3000)], "step", scale="log"):
        assert f"{len(rows(made))} of 1,000 {SAMPLED}" in said(made)
        assert count(made, NOT_POSITIVE) == 2000


@each_row(
    "literal, note, row",
    [
        ("-1e308", NOT_POSITIVE, False),
        ("-1e400", NOT_POSITIVE, False),
        ("-1e-400", NOT_POSITIVE, False),
        ("0e-400", NOT_POSITIVE, False),
        ("1e-400", TOO_SMALL, False),
        ('"-Infinity"', NOT_FINITE, True),
        ("1e400", TOO_LARGE, True),
    ],
)
@each_row("axis", ["step", "run"])
def test_a_value_off_a_logarithmic_axis_counts_once(axis: str, literal: str, note: str, row: bool) -> None:
    run = LoggedRun("run-1", chunks([valued(literal, 1)], 1), start=START)
    made = [json.loads(compared.specification([run], against=axis, scale="log"))]
    made += [drawn(valued(literal, 1), scale="log")] if axis == "step" else []
    for one in made:
        assert {found: 1 for found in (NOT_POSITIVE, TOO_SMALL, NOT_FINITE, TOO_LARGE) if count(one, found)} == {
            note: 1
        }
        assert [found.get("text") for found in rows(one)] == ([literal.strip('"')] if row else [None])


def test_a_logarithmic_axis_has_the_means_of_a_linear_one() -> None:
    texts = [point(value, n) for n, value in enumerate([1, -5, 2, 0, 4])]
    means = [row["mean"] for row in rows(drawn(*texts, smooth=0.5))]
    assert means == pytest.approx([1, -3, -1 / 7, -1 / 15, 63 / 31])
    for made in charts(texts, "step", smooth=0.5, scale="log"):
        assert [row["text"] for row in rows(made)] == ["1", "2", "4"]
        assert [row.get("mean") for row in rows(made)] == [1, None, means[4]], "no place for a mean of less than 0"


def test_a_mean_below_all_values_that_are_drawn_is_on_the_axis() -> None:
    made = drawn(point(-1, 1), point(1.5, 2), point(3, 3), scale="log", smooth=0.5)
    low, _ = made["layer"][1]["encoding"]["y"]["scale"]["domain"]
    assert 0 < low <= rows(made)[0]["mean"] < 1.5


def test_a_chart_without_a_mean_to_draw_does_not_say_that_it_is_smoothed() -> None:
    for made in charts([point(-100, 1), point(1, 2), point(2, 3)], "step", scale="log", smooth=0.9):
        assert "Not smoothed: no mean has a place on the value axis" in made["title"]["subtitle"]
        assert "faint" not in said(made)


RESUMED = [(1, 0), (2, 1), (3, 2), (2, 3), (3, 4), (4, 5)]


@each_row("kind", ["line", "scatter"])
@each_row("axis", ["time", "elapsed"])
def test_a_resumed_training_goes_on_in_time(axis: str, kind: str) -> None:
    texts = [point(minute, step, time(60 * minute)) for step, minute in RESUMED]
    plain = [row["mean"] for row in rows(drawn(*(point(n, n) for n in range(6)), smooth=0.5))]
    for made in charts(texts, axis, kind=kind, smooth=0.5):
        assert [row["value"] for row in rows(made)] == [0, 1, 2, 3, 4, 5]
        assert [row["mean"] for row in rows(made)] == plain
    (by_step, _) = charts(texts, "step", kind=kind)
    assert [row["value"] for row in rows(by_step)] == [0, 1, 3, 2, 4, 5]


def test_a_sample_and_its_gaps_go_along_time() -> None:
    seconds = [*range(1000), *range(40_000, 41_000)]
    texts = [point(n % 11, (n * 7919) % 2003, time(second)) for n, second in enumerate(seconds)]
    for made in charts(texts, "time"):
        places = [row["x"] for row in rows(made)]
        assert places == sorted(places)
        assert 480 < len(places) <= 500
        assert "The line breaks at a gap of 10.8 h" in said(made)
        assert [row.get("part", 0) for row in rows(made)] == sorted(row.get("part", 0) for row in rows(made))


def test_points_of_one_instant_keep_the_order_of_their_steps() -> None:
    texts = [point(step, step, time(0)) for step in (5, 1, 4, 2)] + [point(9, 9, "2025-12-31T23:59:59.9Z")]
    for made in charts(texts, "time"):
        assert [row["value"] for row in rows(made)] == [9, 1, 2, 4, 5]


VALUES = ["1", "-2.5", "0", "0.0", "1e-400", "-1e-400", "1e308", "-1e308", "1e400", "-1e400", '"NaN"', '"-Infinity"']
POINT = st.tuples(
    st.sampled_from([*VALUES, "null", "3", "4"]),
    st.sampled_from(["null", "1", "2", "3", "1" + "0" * 400]),
    st.sampled_from([None, time(1), time(2), "0001-01-01T00:00:00+05:00", "0001-01-01T00:00:00Z"]),
)


@given(
    st.lists(POINT, min_size=1, max_size=8),
    st.sampled_from([1, 90, 300]),
    st.sampled_from(["step", "time", "elapsed"]),
    st.sampled_from(["linear", "log"]),
)
def test_every_point_is_drawn_or_counted_once(
    logged: list[tuple[str, str, str | None]], times: int, axis: str, scale: str
) -> None:
    texts = [
        valued(value, 77, timestamp).replace(b'"step": 77', f'"step": {step}'.encode())
        for value, step, timestamp in logged * times
    ]
    try:
        made = drawn(*texts, against=axis, scale=scale)
    except InvalidParameter:
        return
    shown = [row for row in rows(made) if row]
    lacks = "step" if axis == "step" else "timestamp"
    notes = [f"without a {lacks}, not drawn", f"with a {lacks} that no axis can show, not drawn"]
    notes += ["without a value, not drawn", NOT_POSITIVE, TOO_SMALL]
    sampled = count(made, SAMPLED)
    assert (sampled or len(shown)) + sum(count(made, note) for note in notes) == len(texts)
    assert len(shown) <= 500 < (sampled or 501)
    crosses = sum(row["value"] is None for row in shown)
    assert crosses == count(made, NOT_FINITE) + count(made, TOO_LARGE) or sampled
    assert count(made, "without a value, not drawn") == sum(value == "null" for value, _, _ in logged) * times
