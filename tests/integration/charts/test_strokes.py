"""What people look at, read in the pictures: logarithmic axes, smoothing, gaps, elapsed time, who is who."""

from __future__ import annotations

from itertools import pairwise
from typing import Any
from xml.etree.ElementTree import Element

import pytest

from service.charts.rendering import SVG, Renderer
from tests.integration.charts import pictures
from tests.unit.charts import compared, drawn
from tests.unit.charts.compared import LoggedRun
from tests.unit.domain.series.logged import chunks, point


def time(seconds: int) -> str:
    return f"2026-01-01T{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.125Z"


def picture(renderer: Renderer, *texts: bytes, against: str = "step", **how: Any) -> Element:
    return pictures.read(renderer.render(drawn.specification(chunks([*texts], 100), against, **how), SVG))


def words(image: Element) -> str:
    return " ".join(pictures.texts(image))


def test_decades_stand_at_equal_distances_on_a_logarithmic_axis(renderer: Renderer) -> None:
    image = picture(renderer, *(point(value, n) for n, value in enumerate([1, 10, 100, 1000, 0, -5])), scale="log")
    (stroke,) = pictures.strokes(image)
    rises = [above - below for (_, above), (_, below) in pairwise(stroke.corners)]
    assert rises == pytest.approx([rises[0]] * 3, abs=0.01)
    assert rises[0] > 0
    assert "2 not greater than 0, left out" in words(image)


def test_the_smoothed_line_is_within_the_faint_one(renderer: Renderer) -> None:
    image = picture(renderer, *(point(n % 2, n) for n in range(40)), smooth=0.9)
    logged, smoothed = pictures.strokes(image)
    assert logged.opacity < 0.5 < smoothed.opacity
    heights = [[y for _, y in stroke.corners][20:] for stroke in (logged, smoothed)]
    assert max(heights[0]) - min(heights[0]) > 5 * (max(heights[1]) - min(heights[1]))
    assert [x for x, _ in logged.corners] == [x for x, _ in smoothed.corners]
    assert "Smoothed" in words(image)


def test_no_stroke_crosses_a_gap_and_the_caption_says_so(renderer: Renderer) -> None:
    seconds = [*range(10), *range(7200, 7210)]
    image = picture(renderer, *(point(n, n, time(second)) for n, second in enumerate(seconds)), against="time")
    before, after = pictures.strokes(image)
    assert (len(before.corners), len(after.corners)) == (10, 10)
    assert max(x for x, _ in before.corners) + 100 < min(x for x, _ in after.corners)
    assert before.colour == after.colour
    assert "The line breaks at a gap of 120 min" in words(image)


def test_elapsed_time_begins_at_nought_for_every_run_and_the_legend_says_who_is_who(renderer: Renderer) -> None:
    runs = [
        LoggedRun(
            f"{number}aaaaaaa-0000-4000-8000-00000000000{number}",
            chunks(
                [point(number + n, n, time(3600 * number + 60 * n), part=part) for part in "ab" for n in range(5)], 9
            ),
            "network",
            {"rate": f"0.{number}", "same": "x"},
            time(3600 * number),
        )
        for number in (1, 2)
    ]
    image = pictures.read(renderer.render(compared.specification(runs, "loss", "elapsed"), SVG))
    shown = pictures.strokes(image)
    assert {len(stroke.corners) for stroke in shown} == {5}
    assert len({tuple(x for x, _ in stroke.corners) for stroke in shown}) == 1
    assert len({(stroke.colour, stroke.dashes) for stroke in shown}) == 4
    assert len({stroke.colour for stroke in shown}) == len({stroke.dashes for stroke in shown}) == 2
    first, *_, title = pictures.labels(image, "X")
    assert (float(first), title) == (0, "Time since the run's start (min)")
    legend = pictures.texts(image)
    for name in ("rate=0.1 · 1aaaaaaa", "rate=0.2 · 2aaaaaaa", "part=a", "part=b"):
        assert name in legend
    assert "same" not in words(image)
