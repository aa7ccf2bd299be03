"""The process that draws: ``python -m service.charts.drawing_process``, specifications in, pictures out.

It has no secrets, fetches nothing, runs at a lower priority, and ends with the process that started it.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any

import vl_convert

from service.charts import process_messages, style

VEGA_LITE = "6.4"
SCALE = 2.0
_NICENESS = 5
_PATIENCE = 60
"""Seconds after which an orphaned process ends itself."""
_FIRST: dict[str, Any] = {
    "data": {"values": [{"x": 1}]},
    "mark": "line",
    "encoding": {"x": {"field": "x", "type": "quantitative"}, "y": {"field": "x", "type": "quantitative"}},
    "title": {"text": "first", "subtitle": ["first"]},
}
_SURE_DIGITS = 18
"""A sign and this many digits always fit into 64 bits."""
_FONTS = ("/usr/share/fonts", "/usr/local/share/fonts")
_FONTS_AT_HOME = (".local/share/fonts", ".fonts")
"""Where a system and a user have their fonts."""
_WORDS = ("at", "text")
"""Members of rows that only tooltips and screen readers use."""


def main() -> None:
    """Draw until the input ends."""
    os.nice(_NICENESS)
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    own_fonts_first()
    _warm_up()
    while (asked := process_messages.read(sys.stdin.buffer)) is not None:
        form, specification = asked
        signal.alarm(_PATIENCE)
        try:
            answer = process_messages.pack(process_messages.DRAWN, _DRAW[form](read(specification)))
        except ValueError as error:
            answer = process_messages.pack(process_messages.REFUSED, str(error).encode())
        signal.alarm(0)
        answers.write(answer)


def _warm_up() -> None:
    """Compile Vega and load the fonts before the first request arrives, which would have to do so otherwise."""
    for step in (_vega, _png):
        if process_messages.is_waiting(sys.stdin.buffer):
            return
        step(dict(_FIRST))


def own_fonts_first() -> None:
    """Find the system's fonts after those that ``vl_convert`` brings, which it has in memory.

    A font's file is opened again for each letter that is measured or drawn.
    """
    os.environ["FONTCONFIG_FILE"] = str(Path(__file__).with_name("fonts.conf"))
    home = os.environ.get("HOME")
    for directory in (*_FONTS, *(f"{home}/{fonts}" for fonts in _FONTS_AT_HOME if home)):
        vl_convert.register_font_directory(directory)


def read(specification: bytes) -> dict[str, Any]:
    """The specification as objects: of JSON text ``vl_convert`` may read a number's last bit wrong.

    It accepts no integer of more than 64 bits; in JavaScript they are ``float``s anyway.
    """
    found: dict[str, Any] = json.loads(specification, parse_int=_integer)
    return found | {"config": style.on_paper(found.get("config", {}))}


def _integer(literal: str) -> float:
    return int(literal) if len(literal) <= _SURE_DIGITS else float(literal)


def _svg(specification: dict[str, Any]) -> bytes:
    """SVG with the chart's description as its accessible name (WAI-ARIA Graphics)."""
    drawn: str = vl_convert.vega_to_svg(_vega(specification), allowed_base_urls=[])
    end = drawn.index(">") + 1
    description = escape(specification.get("description", ""))
    return f'{drawn[: end - 1]} role="img" aria-label="{description}">{drawn[end:]}'.encode()


def _png(specification: dict[str, Any]) -> bytes:
    """PNG. Tooltips and texts for screen readers are left out, as a PNG cannot have them."""
    specification["config"] = specification.get("config", {}) | {"aria": False}
    for view in _views(specification):
        view.get("encoding", {}).pop("tooltip", None)
        for row in view.get("data", {}).get("values", ()):
            for word in _WORDS:
                row.pop(word, None)
    drawn: bytes = vl_convert.vega_to_png(_vega(specification), scale=SCALE, allowed_base_urls=[])
    return drawn


def _vega(specification: dict[str, Any]) -> dict[str, Any]:
    """The specification compiled to Vega's; rows do not go through the compiler."""
    rows = {}
    for number, view in enumerate(_views(specification)):
        if "values" in view.get("data", {}):
            name = f"rows {number}"
            rows[name] = view["data"]["values"]
            view["data"] = {"name": name}
    compiled: dict[str, Any] = vl_convert.vegalite_to_vega(specification, vl_version=VEGA_LITE)
    for table in compiled["data"]:
        if table["name"] in rows:
            table["values"] = rows[table["name"]]
    return compiled


def _views(view: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The view, its panels and layers."""
    yield view
    for part in (*view.get("vconcat", ()), *view.get("layer", ())):
        yield from _views(part)


_DRAW: Mapping[bytes, Callable[[dict[str, Any]], bytes]] = {b"s": _svg, b"p": _png}


if __name__ == "__main__":
    main()
