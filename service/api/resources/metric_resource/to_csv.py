"""Points as comma-separated values (RFC 4180, UTF-8), chunk by chunk.

``name``, ``value``, ``timestamp``, ``step``, then a column for each label name, in the order of first appearance. A
label whose name is taken is headed ``label:<name>``; several values under one name in one point share a cell, ``; ``
between them. Numbers are digit for digit the runtime's, ``null`` is an empty cell.

Of more than ``MOST_COLUMNS`` label names the further ones share the last column, ``labels``: a JSON array of a point's
``{"name", "value"}``. So a table grows with its points, not with points times names, and nothing is left out.

Spreadsheets calculate text that begins like a formula, at the beginning of a cell and, where a semicolon or a tab
separates for them, behind one of these or a line end within it. There an apostrophe goes in front, which they take for
"text"; plain numbers stay as they are. Text that looks guarded as it was logged gets one more, so that who takes one
away at each such place has what was logged.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice

from service.domain import points
from service.domain.localizing import localized
from service.domain.metrics import Chunk
from service.domain.points import NameValue
from service.domain.timestamps import ZoneClock

MOST_COLUMNS = 256
FURTHER = "labels"
_COLUMNS = ("name", "value", "timestamp", "step")
_REMEMBERED = 65_536
_BLANKS = r"(?:[^\S\t\r\n]|\")*+"  # blanks and quotation marks, which a spreadsheet may take away
_NUMBER = r"[+\-]?(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)(?:[eE][+\-]?[0-9]++)?"
_CALCULATED = re.compile(
    rf"(\A|[;\t\r\n])(?='*+{_BLANKS}[=+\-@\uff1d\uff0b\uff0d\uff20])(?!'*+{_BLANKS}{_NUMBER}{_BLANKS}(?:[;\t\r\n]|\Z))"
)
_QUOTED = re.compile(r'[",;\s]')  # a semicolon or tab separates too where a spreadsheet is told so
_SURROGATE = re.compile("[\ud800-\udfff]")


def rows(chunks: Iterable[Chunk], clock: ZoneClock, labels: Sequence[str]) -> Iterator[bytes]:
    """The whole file in pieces: its header, with a column for each of ``labels``, and the rows of each chunk."""
    columns = {name: number for number, name in enumerate(labels[:MOST_COLUMNS])}
    yield b",".join(map(_cell, _headings(columns, further=len(labels) > len(columns)))) + b"\r\n"
    line = _liner(columns, further=len(labels) > len(columns))
    for chunk in chunks:
        zoned = Chunk(localized(chunk.text, clock), chunk.count)
        yield b"".join(map(line, *points.columns(zoned, ("name", "value", "timestamp", "step", "labels"))))


def label_names(chunks: Iterable[Chunk]) -> list[str]:
    """All label names by first appearance, but of those that share a column only one."""
    literals: dict[bytes, None] = {}
    for chunk in chunks:
        literals.update(dict.fromkeys(points.columns(chunk, ("labels",))[0]))
    names = dict.fromkeys(name for literal in literals for name, _ in points.labels(literal))
    return list(islice(names, MOST_COLUMNS + 1))


def guarded(text: str) -> str:
    """``text`` with an apostrophe wherever a spreadsheet would begin to calculate."""
    return _CALCULATED.sub(r"\1'", text)


def _headings(labels: Iterable[str], *, further: bool) -> list[str]:
    """The columns' names as they are written, each one once."""
    headings = dict.fromkeys((*_COLUMNS, FURTHER) if further else _COLUMNS)
    for name in labels:
        heading = guarded(name)
        while heading in headings:
            heading = "label:" + heading
        headings[heading] = None
    if further:
        headings[FURTHER] = headings.pop(FURTHER)
    return list(headings)


def _liner(columns: dict[str, int], *, further: bool) -> Callable[[bytes, bytes, bytes, bytes, bytes], bytes]:
    """What writes a point's literals as a line. Names and labels repeat from point to point; each is written once."""
    empty = [b""] * (len(columns) + further)

    @lru_cache(_REMEMBERED)
    def named(literal: bytes) -> bytes:
        return _cell(guarded(points.text(literal)))

    @lru_cache(_REMEMBERED)
    def labelled(literal: bytes) -> bytes:
        values: dict[str, list[str]] = {}
        others: list[NameValue] = []
        for label in points.labels(literal):
            if label.name in columns:
                values.setdefault(label.name, []).append(label.value)
            else:
                others.append(label)
        cells = empty.copy()
        for name, given in values.items():
            cells[columns[name]] = _cell(guarded("; ".join(given)))
        if others:
            cells[-1] = _cell(_json(others))
        return b",".join((b"", *cells)) + b"\r\n"

    def line(name: bytes, value: bytes, timestamp: bytes, step: bytes, given: bytes) -> bytes:
        return b"%b,%b,%b,%b%b" % (
            named(name),
            b"" if value == points.NULL else value.strip(b'"'),
            b"" if timestamp == points.NULL else timestamp[1:-1],
            b"" if step == points.NULL else step,
            labelled(given),
        )

    return line


def _json(labels: Iterable[NameValue]) -> str:
    """Labels as JSON in which nothing separates cells, so that there is nothing to guard."""
    return json.dumps([label._asdict() for label in labels]).replace(";", "\\u003b")


def _cell(text: str) -> bytes:
    written = _SURROGATE.sub("\ufffd", text)
    if _QUOTED.search(written):
        written = '"' + written.replace('"', '""') + '"'
    return written.encode("utf-8")
