"""The style of charts: colours that colour-blind people can distinguish, on white and on black, sizes, fonts.

``CONFIG`` is part of each specification and neutral: no background, greys that are legible on light and dark, all of it
in ``config``, where a page can apply its own theme. ``PAPER`` is the theme of our pictures.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

PALETTE = ("#0D6BC3", "#EB7800", "#00A058", "#E66FAE", "#8D4D95", "#329CFF", "#DE382D", "#306E13")
SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "triangle-right", "triangle-left")
DASHES = ((1, 0), (7, 4), (2, 3), (10, 3, 2, 3), (14, 4), (8, 3, 2, 3, 2, 3))
OPACITIES = (1.0, 0.6, 0.35)
MOST_TRACES = len(PALETTE) * len(OPACITIES)
HEAT = "viridis"
WIDTH = 520
"""Pixels of a panel between its axes: narrow enough to be legible on a telephone."""
FONT_SIZE = 13
CHARACTER = 0.56
"""The average width of a character, as a fraction of the font size."""

_STRONG = "#6B6B6B"
NEUTRAL = "#808080"
_FONT = "Liberation Sans, Arial, Helvetica, sans-serif"
CONFIG: dict[str, Any] = {
    "background": "transparent",
    "font": _FONT,
    "padding": 12,
    "view": {"stroke": None},
    "title": {
        "anchor": "start",
        "frame": "bounds",
        "fontSize": 18,
        "subtitleFontSize": FONT_SIZE,
        "subtitlePadding": 5,
        "subtitleLineHeight": 17,
        "color": _STRONG,
        "subtitleColor": NEUTRAL,
        "offset": 14,
    },
    "axis": {
        "labelFontSize": FONT_SIZE,
        "titleFontSize": FONT_SIZE,
        "titleFontWeight": "normal",
        "titlePadding": 8,
        "labelColor": _STRONG,
        "titleColor": _STRONG,
        "gridColor": NEUTRAL,
        "gridOpacity": 0.2,
        "domain": False,
        "tickColor": NEUTRAL,
        "labelOverlap": True,
        "labelFlush": False,
    },
    "axisX": {"grid": False, "domain": True, "domainColor": NEUTRAL},
    "axisY": {"ticks": False},
    "axisBand": {"ticks": False},
    "legend": {
        "labelFontSize": FONT_SIZE,
        "titleFontSize": FONT_SIZE,
        "titleFontWeight": "normal",
        "labelColor": _STRONG,
        "titleColor": NEUTRAL,
        "labelLimit": WIDTH,
        "orient": "top",
        "direction": "horizontal",
        "columnPadding": 18,
        "symbolOpacity": 1,
        "symbolBaseStrokeColor": NEUTRAL,
        "symbolBaseFillColor": NEUTRAL,
        "offset": 6,
    },
}
_INK, _PENCIL = "#1F1F1F", "#4D4D4D"
PAPER: dict[str, Any] = {
    "background": "white",
    "title": {"color": _INK, "subtitleColor": _PENCIL},
    "axis": {"labelColor": _PENCIL, "titleColor": _INK},
    "legend": {"labelColor": _INK, "titleColor": _PENCIL},
}


def on_paper(config: dict[str, Any]) -> dict[str, Any]:
    """The ``config`` of a specification for our pictures."""
    merged = {**config}
    for part, theme in PAPER.items():
        merged[part] = {**config.get(part, {}), **theme} if isinstance(theme, dict) else theme
    return merged


def colours(count: int) -> list[str]:
    return [PALETTE[index % len(PALETTE)] for index in range(count)]


def cycled(looks: Sequence[Any], count: int) -> list[Any]:
    """Styles for ``count`` traces: the first while colours suffice, then the next for each round of the palette."""
    return [looks[index // len(PALETTE) % len(looks)] for index in range(count)]


def text_width(text: str) -> float:
    """The approximate width of a line of a legend or caption, in pixels."""
    return len(text) * CHARACTER * FONT_SIZE
