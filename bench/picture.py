"""Results as a picture. ``python -m bench.picture RESULTS PICTURE``: of what ``--json`` wrote, an SVG or a PNG."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from service.charts import style
from service.charts.rendering import PNG, SVG, Renderer
from service.charts.specification import SCHEMA

_WHO = {"service": "the service", "nginx tuned": "nginx, tuned", "nginx": "nginx", "naive": "a naive proxy"}
_ROW = re.compile(rf"({'|'.join(_WHO)}) (304|[0-9]+)( gzip)?")
_WIDTH = 520
_MOST_LETTERS = 74
_REACHED, _MISSED = "reached", "missed"


def draw(document: Mapping[str, Any], path: Path) -> None:
    """Write the picture of what ``Results.write`` wrote; a ``path`` that ends in ``.png`` is one of pixels."""
    renderer = Renderer(seconds=60)
    try:
        form = PNG if path.suffix == ".png" else SVG
        path.write_bytes(renderer.render(json.dumps(specification(document)).encode(), form))
    finally:
        renderer.close()


def specification(document: Mapping[str, Any]) -> dict[str, Any]:
    """Vega-Lite: what each answers a second, and how far each goal is reached."""
    return {
        "$schema": SCHEMA,
        "title": {"text": "What was measured", "subtitle": _lines(str(document["machine"]))},
        "description": f"Results of the benchmark on {document['machine']}",
        "config": style.CONFIG,
        "vconcat": [_rates(document["rates"]), _goals(document["goals"])],
        "spacing": 36,
        "resolve": {how: {"color": "independent", "shape": "independent"} for how in ("scale", "legend")},
    }


def _rates(rates: Mapping[str, list[float]]) -> dict[str, Any]:
    rows = list(_answered(rates))
    named = list(dict.fromkeys(str(row["answer"]) for row in rows))
    who = [name for name in _WHO.values() if any(row["who"] == name for row in rows)]
    return {
        "title": {"text": "Stored answers a second, by one worker on one core", "fontSize": 14, "offset": 8},
        "width": _WIDTH,
        "height": {"step": 22},
        "data": {"values": rows},
        "mark": {"type": "point", "filled": True, "size": 90, "opacity": 1},
        "encoding": {
            "y": {"field": "answer", "type": "nominal", "title": None, "sort": named, "axis": {"grid": True}},
            "x": {"field": "rate", "type": "quantitative", "scale": {"type": "log"}, "title": "requests a second"},
            "color": {
                "field": "who",
                "type": "nominal",
                "title": None,
                "scale": {"domain": who, "range": style.colours(len(who))},
            },
            "shape": {
                "field": "who",
                "type": "nominal",
                "title": None,
                "scale": {"domain": who, "range": list(style.SHAPES[: len(who)])},
            },
        },
    }


def _answered(rates: Mapping[str, list[float]]) -> Iterator[dict[str, str | float]]:
    for name, samples in rates.items():
        found = _ROW.fullmatch(name)
        if found and (rate := sorted(samples)[len(samples) // 2]) > 0:
            answer = (
                "304, unchanged" if found[2] == "304" else f"{int(found[2]):,} points{', gzip' if found[3] else ''}"
            )
            yield {"who": _WHO[found[1]], "answer": answer, "rate": rate}


def _goals(goals: list[Mapping[str, Any]]) -> dict[str, Any]:
    rows = [
        {
            "goal": f"{_cut(goal['goal'])}: {goal['measured']:,.4g}",
            "share": goal["reached"],
            "verdict": _REACHED if goal["met"] else _MISSED,
        }
        for goal in goals
        if goal["measured"] is not None and goal["reached"]
    ]
    colours = {"domain": [_REACHED, _MISSED], "range": [style.PALETTE[2], style.PALETTE[6]]}
    return {
        "title": {"text": "Goals, and what was measured", "fontSize": 14, "offset": 8},
        "width": _WIDTH,
        "height": {"step": 17},
        "data": {"values": rows},
        "encoding": {
            "y": {
                "field": "goal",
                "type": "nominal",
                "title": None,
                "sort": None,
                "axis": {"labelLimit": 600, "labelFontSize": 11},
            },
        },
        "layer": [
            {
                "mark": {"type": "bar", "height": 9},
                "encoding": {
                    "x": {
                        "field": "share",
                        "type": "quantitative",
                        "scale": {"type": "log"},
                        "title": "of the goal: from 1 on it is reached",
                    },
                    "x2": {"datum": 1},
                    "color": {"field": "verdict", "type": "nominal", "title": None, "scale": colours},
                },
            },
            {"mark": {"type": "rule", "strokeWidth": 1}, "encoding": {"x": {"datum": 1}, "y": None}},
        ],
    }


def _cut(text: str) -> str:
    return text if len(text) <= _MOST_LETTERS else f"{text[: _MOST_LETTERS - 1]}…"


def _lines(machine: str) -> list[str]:
    """The machine in lines, broken at commas."""
    lines = [""]
    for part in machine.split(", "):
        if lines[-1] and len(lines[-1]) + len(part) > _MOST_LETTERS:
            lines.append("")
        lines[-1] += f", {part}" if lines[-1] else part
    return lines


if __name__ == "__main__":
    draw(json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2]))
