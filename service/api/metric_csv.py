"""Points as comma-separated values (RFC 4180, UTF-8), chunk by chunk.

``name``, ``value``, ``timestamp``, ``step``, then a column for each label name, in the order of first appearance. A
label whose name is taken is headed ``label:<name>``; several values under one name in one point share a cell, ``; ``
between them. Numbers are digit for digit the runtime's, ``null`` is an empty cell.

Spreadsheets calculate text that begins like a formula: it gets an apostrophe in front, which they take for "text".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache

from service.domain import points
from service.domain.localizing import localized_literal
from service.domain.metrics import Chunk
from service.domain.points import Point
from service.domain.timestamps import ZoneClock

MEDIA_TYPE = "text/csv; charset=utf-8; header=present"
_COLUMNS = ("name", "value", "timestamp", "step")
_REMEMBERED = 65_536
_FORMULA = re.compile("[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_QUOTED = re.compile(r'[",;\s]')  # a semicolon or tab separates too where a spreadsheet is told so
_SURROGATE = re.compile("[\ud800-\udfff]")


def rows(chunks: Iterable[Chunk], clock: ZoneClock, labels: Sequence[str]) -> Iterator[bytes]:
    """The whole file in pieces: its header, with a column for each of ``labels``, and the rows of each chunk."""
    yield b",".join(map(_cell, _headings(labels))) + b"\r\n"
    line = _liner(labels, clock)
    for chunk in chunks:
        yield b"".join(map(line, points.points(chunk, range(chunk.count))))


def label_names(chunks: Iterable[Chunk]) -> list[str]:
    """All label names by first appearance."""
    literals: dict[bytes, None] = {}
    for chunk in chunks:
        literals.update(dict.fromkeys(points.columns(chunk, ("labels",))[0]))
    return list(dict.fromkeys(name for literal in literals for name, _ in points.labels(literal)))


def _headings(labels: Iterable[str]) -> list[str]:
    """The columns' names as they are written, each one once."""
    headings = list(_COLUMNS)
    for name in labels:
        heading = _harmless(name)
        while heading in headings:
            heading = "label:" + heading
        headings.append(heading)
    return headings


def _liner(labels: Sequence[str], clock: ZoneClock) -> Callable[[Point], bytes]:
    """What writes a point as a line. Names and labels repeat from point to point; each is written once."""

    @lru_cache(_REMEMBERED)
    def named(literal: bytes) -> bytes:
        return _cell(_harmless(points.text(literal)))

    @lru_cache(_REMEMBERED)
    def labelled(literal: bytes) -> bytes:
        values: dict[str, list[str]] = {}
        for name, value in points.labels(literal):
            values.setdefault(name, []).append(value)
        cells = [_cell(_harmless("; ".join(values.get(name, ())))) for name in labels]
        return b"".join([b"," + cell for cell in cells]) + b"\r\n"

    def line(point: Point) -> bytes:
        stamp = localized_literal(bytes(point.timestamp), clock)
        return b"%b,%b,%b,%b%b" % (
            named(bytes(point.name)),
            bytes(point.value).strip(b'"'),
            b"" if stamp == points.NULL else stamp[1:-1],
            b"" if bytes(point.step) == points.NULL else bytes(point.step),
            labelled(bytes(point.labels)),
        )

    return line


def _harmless(text: str) -> str:
    return "'" + text if _FORMULA.match(text) else text


def _cell(text: str) -> bytes:
    written = _SURROGATE.sub("\ufffd", text)
    if _QUOTED.search(written):
        written = '"' + written.replace('"', '""') + '"'
    return written.encode("utf-8")
