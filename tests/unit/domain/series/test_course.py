"""What drawings need of series: moving means and gaps, beside plain references."""

from __future__ import annotations

import json
import math
from itertools import pairwise
from statistics import median

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.series import gaps, smoothing
from service.domain.series.builder import series
from service.domain.series.series import GAP, Projection, Series
from service.domain.series.series_counter import Needs
from tests.unit.domain.series.logged import chunks, point

VALUES = st.lists(st.floats(-1e6, 1e6) | st.sampled_from([math.nan, math.inf, -math.inf]), max_size=60)
SMOOTH = st.floats(0.01, 0.99)


def weighted(values: list[float], smooth: float) -> list[float]:
    """Each mean by its definition: weights that fall from the last value back, over their sum."""
    found = []
    for end, last in enumerate(values, 1):
        known = [value for value in values[:end] if math.isfinite(value)]
        weights = [smooth ** (len(known) - number) for number in range(1, len(known) + 1)]
        products = [weight * value for weight, value in zip(weights, known, strict=True)]
        found.append(math.fsum(products) / math.fsum(weights) if math.isfinite(last) else math.nan)
    return found


@given(VALUES, SMOOTH)
def test_means_are_weighted_means(values: list[float], smooth: float) -> None:
    made = smoothing.means(np.array(values, dtype=np.float64), smooth).tolist()
    assert made == pytest.approx(weighted(values, smooth), rel=1e-9, abs=1e-6, nan_ok=True)


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(1, 200), SMOOTH)
def test_a_constant_is_its_own_mean(value: float, count: int, smooth: float) -> None:
    made = smoothing.means(np.full(count, value), smooth).tolist()
    assert made == pytest.approx([value] * count, rel=1e-9, abs=5e-322)


@given(st.lists(st.floats(-1e9, 1e9) | st.just(math.nan), max_size=40))
def test_gaps_are_over_twenty_medians(places: list[float]) -> None:
    known = [(at, place) for at, place in enumerate(places) if not math.isnan(place)]
    distances = [(before[0], after[0], abs(after[1] - before[1])) for before, after in pairwise(known)]
    positive = [distance for _, _, distance in distances if distance > 0]
    expected = [one for one in distances if positive and one[2] > GAP * median(positive)] if len(positive) > 2 else []
    found = gaps.find(np.array(places, dtype=np.float64))
    assert list(zip(found.before.tolist(), found.after.tolist(), strict=True)) == [one[:2] for one in expected]
    assert found.longest == max((one[2] for one in expected), default=0)


def drawn(texts: list[bytes], at_most: int, along: Needs = Needs.STEP, smooth: float = 0.0) -> Series:
    (found,) = series(chunks(texts, 100), at_most, projection=Projection(along, smooth))
    return found


@pytest.mark.parametrize("at_most", [20, 5000])
def test_the_line_breaks_between_the_points_beside_a_gap(at_most: int) -> None:
    steps = [*range(1000), *range(100_000, 101_000)]
    found = drawn([point(math.sin(step), step) for step in steps], at_most)
    shown = [json.loads(text)["step"] for text in found.points]
    (at,) = found.course.breaks
    assert (shown[at - 1], shown[at]) == (999, 100_000)
    assert found.course.longest_gap == 99_001


def test_a_sample_of_an_even_series_has_no_gaps() -> None:
    assert drawn([point((step * 7919) % 101, step) for step in range(5000)], 50).course.breaks == []


def test_gaps_of_time_go_by_instants() -> None:
    times = [f"2026-01-0{day}T00:00:{second:02d}.5Z" for day in (1, 3) for second in range(20)]
    found = drawn([point(1, step, time) for step, time in enumerate(times)], 500, Needs.TIMESTAMP)
    assert found.course.breaks == [20]
    assert found.course.longest_gap == 2 * 86_400 - 19


def test_means_are_of_all_points_whichever_are_shown() -> None:
    texts = [point((step * 7919) % 101, step) for step in range(3000)]
    whole, sample = drawn(texts, 5000, smooth=0.9), drawn(texts, 40, smooth=0.9)
    by_point = dict(zip(whole.points, whole.course.means, strict=True))
    assert list(sample.course.means) == [by_point[text] for text in sample.points]
    assert 30 < len(sample.points) <= 40
