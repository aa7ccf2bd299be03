"""How charts look: colours that colour-blind people can tell apart, sizes, fonts."""

from __future__ import annotations

from typing import Any

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#8A7F00")
"""Okabe and Ito's colours, but that their yellow, too pale for lines on white, is darkened."""
SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "triangle-right", "triangle-left")
DASHES = ((1, 0), (6, 3), (2, 2))
MOST_TRACES = len(PALETTE) * len(DASHES)
HEAT = "viridis"
WIDTH = 640

CONFIG: dict[str, Any] = {
    "background": "white",
    "font": "Liberation Sans, Arial, Helvetica, sans-serif",
    "view": {"stroke": None},
    "title": {"anchor": "start", "fontSize": 16, "subtitleFontSize": 12, "subtitleColor": "#555555", "offset": 12},
    "axis": {
        "labelFontSize": 11,
        "titleFontSize": 12,
        "labelColor": "#333333",
        "titleColor": "#333333",
        "gridColor": "#e6e6e6",
        "domainColor": "#888888",
        "tickColor": "#888888",
        "labelOverlap": True,
    },
    "legend": {"labelFontSize": 11, "titleFontSize": 11, "labelLimit": 220, "symbolStrokeWidth": 2},
}


def colours(count: int) -> list[str]:
    return [PALETTE[index % len(PALETTE)] for index in range(count)]


def shapes(count: int) -> list[str]:
    return [SHAPES[index % len(SHAPES)] for index in range(count)]


def dashes(count: int) -> list[list[int]]:
    """Solid lines while colours suffice."""
    return [list(DASHES[index // len(PALETTE) % len(DASHES)]) for index in range(count)]
