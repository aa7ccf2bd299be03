"""Labels of axes and legends are as exact as the data: read from pictures."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.charts.panels import ChartType
from service.charts.rendering import SVG, Renderer
from testing.effort import effort
from tests.integration.charts import pictures
from tests.unit.charts.drawn import panels, specification
from tests.unit.domain.series.logged import chunks, point

TYPES = list(ChartType)
PANELS = 8
"""A chart has room for so many metrics: each is an example of its own."""
VALUES = st.one_of(
    st.floats(-8e307, 8e307),
    st.integers(-(2**63), 2**63).map(float),
    st.builds(lambda digits, power: float(f"{digits}e{power}"), st.integers(-9999, 9999), st.integers(-30, 30)),
)
NAMED = [0.97, 0.25, 0.003, 0.5, 1.5, -0.3, 1e-9, 1e22, 9007199254740993, 12345678, 0.9561882245313715, 5e-324, 0]


def chart(metrics: list[list[float]], kind: str) -> bytes:
    """A metric of each list of values."""
    texts = [
        point(value, step, name=f"m{number}")
        for number, values in enumerate(metrics)
        for step, value in enumerate(values)
    ]
    return specification(chunks(texts, 100), kind=kind)


def ticks(panel: dict[str, Any], kind: str) -> list[float]:
    channel = {"bar": "x", "heatmap": "color"}.get(kind, "y")
    view = panel["encoding"][channel]
    found: list[float] = (view.get("axis") or view["legend"])["values"]
    return found


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("count", [1, pytest.param(3, marks=pytest.mark.slow)])
def test_a_constant_is_a_label(renderer: Renderer, kind: str, count: int) -> None:
    for some in (NAMED[:PANELS], NAMED[PANELS:]):
        image = pictures.read(renderer.render(chart([[value] * count for value in some], kind), SVG))
        assert {float(value) for value in some} <= pictures.numbers(image)


LONG = ["0.1234567890123456789", "9007199254740993", "123456789012345678901234567890", "-1.00000000000000000001e-30"]


@pytest.mark.parametrize("kind", TYPES)
def test_a_constant_of_more_digits_than_numbers_have_is_a_label_all_the_same(renderer: Renderer, kind: str) -> None:
    texts = [point(77.5, 1, name=f"m{number}").replace(b"77.5", value.encode()) for number, value in enumerate(LONG)]
    image = pictures.read(renderer.render(specification(chunks(texts, 100), kind=kind), SVG))
    assert set(map(Decimal, LONG)) <= pictures.decimals(image)


def test_two_values_or_steps_that_are_neighbours_have_their_own_digits(renderer: Renderer) -> None:
    first, second = 9007199254740993, 9007199254740996
    texts = [
        point(77.5, step).replace(b"77.5", value) for step, value in ((first, b"0.3"), (second, b"0.30000000000000004"))
    ]
    image = pictures.read(renderer.render(specification(chunks(texts, 100)), SVG))
    assert {Decimal("0.3"), Decimal("0.30000000000000004"), Decimal(first), Decimal(second)} <= pictures.decimals(image)


def test_a_label_is_no_longer_than_a_name(renderer: Renderer) -> None:
    text = point(77.5, 1).replace(b"77.5", b"0." + b"123" * 1000)
    image = pictures.read(renderer.render(specification(chunks([text], 1)), SVG))
    assert max(len(label) for label in pictures.labels(image, "Y")) < 50


@settings(deadline=None, max_examples=effort(3, 12))
@given(st.lists(VALUES, min_size=PANELS, max_size=PANELS), st.integers(1, 2), st.sampled_from(TYPES))
def test_any_constant_is_a_label(renderer: Renderer, values: list[float], count: int, kind: str) -> None:
    image = pictures.read(renderer.render(chart([[value] * count for value in values], kind), SVG))
    assert set(values) <= pictures.numbers(image)


NEAR = st.builds(
    lambda value, by: [value, math.nextafter(value, math.inf) if by is None else value * (1 + 10.0**-by)],
    VALUES,
    st.none() | st.integers(1, 16),
)


@settings(deadline=None, max_examples=effort(3, 12))
@given(st.lists(NEAR, min_size=PANELS, max_size=PANELS), st.sampled_from(TYPES))
def test_what_is_nearly_constant_has_exact_labels(renderer: Renderer, pairs: list[list[float]], kind: str) -> None:
    made = chart(pairs, kind)
    shown = [ticks(panel, kind) for panel in panels(json.loads(made))]
    assert all(len(set(each)) == len(each) >= len(set(pair)) for each, pair in zip(shown, pairs, strict=True))
    assert {tick for each in shown for tick in each} <= pictures.numbers(pictures.read(renderer.render(made, SVG)))


@settings(deadline=None, max_examples=effort(3, 10))
@given(st.lists(st.lists(VALUES, min_size=2, max_size=6), min_size=4, max_size=PANELS), st.sampled_from(TYPES))
def test_all_labels_are_exact(renderer: Renderer, metrics: list[list[float]], kind: str) -> None:
    made = chart(metrics, kind)
    shown = {tick for panel in panels(json.loads(made)) for tick in ticks(panel, kind)}
    assert shown <= pictures.numbers(pictures.read(renderer.render(made, SVG)))


def test_a_mark_is_described_by_its_digits(renderer: Renderer) -> None:
    logged = [point(0.9561882245313715, 9007199254740993, name='back\\ "slash'), point(1, 1, name='back\\ "slash')]
    image = pictures.read(renderer.render(specification(chunks(logged, 1)), SVG))
    assert 'back\\ "slash; Step 9007199254740993: 0.9561882245313715' in pictures.descriptions(image)
