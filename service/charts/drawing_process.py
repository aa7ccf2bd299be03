"""The process that draws: ``python -m service.charts.drawing_process``, specifications in, pictures out.

It has no secrets, fetches nothing, gives way to the service's own processes, and ends with the one that started it.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Mapping
from html import escape
from typing import Any

import vl_convert

from service.charts import process_messages, style

_VEGA_LITE = "6.4"
_SCALE = 2.0
_NICENESS = 5
_PATIENCE = 60
"""Seconds after which a process that nobody ended ends itself."""
_FIRST: dict[str, Any] = {
    "data": {"values": [{"x": 1}]},
    "mark": "line",
    "encoding": {"x": {"field": "x", "type": "quantitative"}, "y": {"field": "x", "type": "quantitative"}},
    "title": {"text": "first", "subtitle": ["first"]},
}
_SURE_DIGITS = 18
"""So many digits and a sign are no more than 64 bits."""


def main() -> None:
    """Draw until the input ends.

    What takes longest is drawn first: Vega is compiled and fonts are found while the caller still works.
    """
    os.nice(_NICENESS)
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    _png(_FIRST)
    while (asked := process_messages.read(sys.stdin.buffer)) is not None:
        form, specification = asked
        signal.alarm(_PATIENCE)
        try:
            answer = process_messages.pack(process_messages.DRAWN, _DRAW[form](_read(specification)))
        except ValueError as error:
            answer = process_messages.pack(process_messages.REFUSED, str(error).encode())
        signal.alarm(0)
        answers.write(answer)


def _read(specification: bytes) -> dict[str, Any]:
    """The specification as objects: of JSON text ``vl_convert`` may read a number's last bit wrong.

    It takes no integer of more than 64 bits; to JavaScript they are ``float``s anyway.
    """
    found: dict[str, Any] = json.loads(specification, parse_int=_integer)
    return found | {"config": style.on_paper(found.get("config", {}))}


def _integer(literal: str) -> float:
    return int(literal) if len(literal) <= _SURE_DIGITS else float(literal)


def _svg(specification: dict[str, Any]) -> bytes:
    """SVG with the chart's description as its accessible name (WAI-ARIA Graphics)."""
    drawn: str = vl_convert.vegalite_to_svg(specification, vl_version=_VEGA_LITE, allowed_base_urls=[])
    end = drawn.index(">") + 1
    description = escape(specification.get("description", ""))
    return f'{drawn[: end - 1]} role="img" aria-label="{description}">{drawn[end:]}'.encode()


def _png(specification: dict[str, Any]) -> bytes:
    drawn: bytes = vl_convert.vegalite_to_png(specification, vl_version=_VEGA_LITE, scale=_SCALE, allowed_base_urls=[])
    return drawn


_DRAW: Mapping[bytes, Callable[[dict[str, Any]], bytes]] = {b"s": _svg, b"p": _png}


if __name__ == "__main__":
    main()
