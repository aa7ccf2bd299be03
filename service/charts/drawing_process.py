"""The process that draws: ``python -m service.charts.drawing_process``, specifications in, pictures out.

It has no secrets, fetches nothing, gives way to the service's own processes, and ends with the one that started it.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Mapping
from html import escape

import msgspec
import vl_convert

from service.charts import frames

_VEGA_LITE = "6.4"
_SCALE = 2.0
_NICENESS = 5
_PATIENCE = 60
"""Seconds after which a process that nobody ended ends itself."""


class _Said(msgspec.Struct):
    description: str = ""


def main() -> None:
    """Draw until the input ends."""
    os.nice(_NICENESS)
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    while (asked := frames.read(sys.stdin.buffer)) is not None:
        form, specification = asked
        signal.alarm(_PATIENCE)
        try:
            answer = frames.pack(frames.DRAWN, _DRAW[form](specification))
        except ValueError as error:
            answer = frames.pack(frames.REFUSED, str(error).encode())
        signal.alarm(0)
        answers.write(answer)


def _svg(specification: bytes) -> bytes:
    """SVG with the chart's description as its accessible name (WAI-ARIA Graphics)."""
    drawn: str = vl_convert.vegalite_to_svg(specification.decode(), vl_version=_VEGA_LITE, allowed_base_urls=[])
    end = drawn.index(">") + 1
    description = escape(msgspec.json.decode(specification, type=_Said).description)
    return f'{drawn[: end - 1]} role="img" aria-label="{description}">{drawn[end:]}'.encode()


def _png(specification: bytes) -> bytes:
    drawn: bytes = vl_convert.vegalite_to_png(
        specification.decode(), vl_version=_VEGA_LITE, scale=_SCALE, allowed_base_urls=[]
    )
    return drawn


_DRAW: Mapping[bytes, Callable[[bytes], bytes]] = {b"s": _svg, b"p": _png}


if __name__ == "__main__":
    main()
