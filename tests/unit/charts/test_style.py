"""Colours that colour-blind readers can tell apart, on white and on black; names that have room."""

from __future__ import annotations

import math
from itertools import combinations

import pytest

from service.charts import captions, style
from service.charts.style import PALETTE
from tests.rows import each_row

# Machado, Oliveira and Fernandes (2009): what a colour looks like to whom, in linear RGB.
VISION = {
    "normal": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": ((0.152, 1.053, -0.205), (0.115, 0.786, 0.099), (-0.004, -0.048, 1.052)),
    "deuteranopia": ((0.367, 0.861, -0.228), (0.280, 0.673, 0.047), (-0.012, 0.043, 0.969)),
    "tritanopia": ((1.256, -0.077, -0.179), (-0.078, 0.931, 0.148), (0.005, 0.691, 0.304)),
}
TO_XYZ = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
WHITE = (0.9505, 1.0, 1.0888)


def linear(colour: str) -> list[float]:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    return [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]


def times(matrix: tuple[tuple[float, ...], ...], vector: list[float]) -> list[float]:
    return [sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix]


def lab(colour: str, vision: str) -> tuple[float, float, float]:
    """Seen with that vision, in CIELAB."""
    seen = [min(1.0, max(0.0, part)) for part in times(VISION[vision], linear(colour))]
    x, y, z = (
        value ** (1 / 3) if value > 0.008856 else 7.787 * value + 16 / 116
        for value in (part / white for part, white in zip(times(TO_XYZ, seen), WHITE, strict=True))
    )
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def contrast(colour: str, background: str) -> float:
    """As WCAG 2 calculates it."""
    light, dark = sorted((times(TO_XYZ, linear(one))[1] for one in (colour, background)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@each_row("vision", VISION)
def test_colours_are_distinguished(vision: str) -> None:
    least = min(math.dist(lab(one, vision), lab(other, vision)) for one, other in combinations(PALETTE, 2))
    assert least > 15


@pytest.mark.parametrize("background", ["#ffffff", "#121212"])
def test_colours_and_words_stand_out_on_light_and_dark(background: str) -> None:
    assert min(contrast(colour, background) for colour in PALETTE) > 2.8
    words = (style.CONFIG["axis"]["labelColor"], style.CONFIG["title"]["color"], style.CONFIG["legend"]["labelColor"])
    assert min(contrast(colour, background) for colour in words) > 3.4


def test_our_pictures_are_dark_on_white() -> None:
    config = style.on_paper(style.CONFIG)
    assert config["background"] == "white"
    assert config["axis"]["labelFontSize"] == style.FONT_SIZE
    assert all(contrast(config[part]["labelColor"], "#ffffff") > 7 for part in ("axis", "legend"))


def test_long_notes_are_broken_into_lines() -> None:
    note = "Not drawn: " + ", ".join(f"run-{number:032d} (it has no such metric)" for number in range(4))
    lines = captions.wrapped(["short", note])
    assert lines[0] == "short"
    assert " ".join(lines[1:]) == note
    assert max(map(style.text_width, lines)) < style.WIDTH * 1.3
