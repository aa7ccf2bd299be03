"""Points as comma-separated values (RFC 4180, UTF-8), chunk by chunk.

``name``, ``value``, ``timestamp``, ``step``, then a column for each label name, in the order of first appearance. A
label whose name is taken is headed ``label:<name>``; several values of one name in a point share a cell, separated by
``; ``. Numbers are digit for digit the runtime's, ``null`` is an empty cell.

Label names beyond ``MOST_COLUMNS`` share the last column, ``labels``: a JSON array of a point's ``{"name", "value"}``.
So a table grows with its points, not with points times names, and nothing is left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice

from service.api.http.csv_text import cell, guarded, row, text_cell
from service.api.resources.metric_resource import columns_to_csv
from service.domain import points
from service.domain.localizing import localized
from service.domain.metrics import MOST_LABEL_NAMES, Chunk
from service.domain.point_layout import layout_of
from service.domain.points import NameValue
from service.domain.timestamps import ZoneClock

MOST_COLUMNS = MOST_LABEL_NAMES - 1
FURTHER = "labels"
_COLUMNS = ("name", "value", "timestamp", "step")
_REMEMBERED = 65_536
_POINT = re.compile(
    rb'\{"name":("[^"\\]*"),"value":([^,"\[\]{}\s]+|"[A-Za-z-]+"),"timestamp":"(.{16})([^"Z]*)Z",'
    rb'"step":([^,"\[\]{}\s]+),"labels":(\[[^\]]*\])\}'
)
"""A point as runtimes usually write it. Quotation marks in strings are escaped, so no match begins within one."""
_PIECES = 7
_MANY = 500
"""The least number of points that are written by columns."""
_NOT_FINITE = frozenset({b'"NaN"', b'"Infinity"', b'"-Infinity"'})


def rows(chunks: Iterable[Chunk], clock: ZoneClock, labels: Sequence[str]) -> Iterator[bytes]:
    """The whole file in pieces: its header, with a column for each of ``labels``, and the rows of each chunk."""
    table = PointRows(labels, clock)
    yield table.header
    yield from map(table.of, chunks)


def label_names(chunks: Iterable[Chunk]) -> list[str]:
    """All label names by first appearance; of those that share a column, only one."""
    literals: dict[bytes, None] = {}
    for chunk in chunks:
        literals.update(dict.fromkeys(_label_sets(chunk)))
    return names_in(literals)


def _label_sets(chunk: Chunk) -> Iterable[bytes]:
    """The points' label sets; only one where all have the same names."""
    if chunk.count >= _MANY:
        layout = layout_of(chunk)
        if layout is not None:
            return [b"[%b]" % b",".join(b'{"name":"%b","value":""}' % name for name, _ in layout.labels)]
    return points.columns(chunk, ("labels",))[0]


def names_in(literals: Iterable[bytes]) -> list[str]:
    """The label names of label sets."""
    names = dict.fromkeys(name for literal in literals for name, _ in points.labels(literal))
    return list(islice(names, MOST_LABEL_NAMES))


def headings(labels: Sequence[str], leading: Sequence[str] = (), written: Callable[[str], str] = guarded) -> list[str]:
    """The unique column names of ``labels``, as ``written`` makes them; ``leading`` are the names of columns before
    them."""
    further = len(labels) > MOST_COLUMNS
    found = dict.fromkeys((*leading, *_COLUMNS, FURTHER) if further else (*leading, *_COLUMNS))
    for name in labels[:MOST_COLUMNS]:
        heading = written(name)
        while heading in found:
            heading = "label:" + heading
        found[heading] = None
    if further:
        found[FURTHER] = found.pop(FURTHER)
    return list(found)


def by_column(literal: bytes, columns: Mapping[str, int]) -> tuple[dict[int, str], list[NameValue]]:
    """The values of a label set by column number, and the labels without a column."""
    values: dict[int, list[str]] = {}
    others: list[NameValue] = []
    for label in points.labels(literal):
        if label.name in columns:
            values.setdefault(columns[label.name], []).append(label.value)
        else:
            others.append(label)
    return {number: "; ".join(given) for number, given in values.items()}, others


class PointRows:
    """Writes points as rows. ``leading`` are columns in front of a point's own.

    Names and labels repeat from point to point; each is written once.
    """

    def __init__(self, labels: Sequence[str], clock: ZoneClock, leading: Sequence[str] = ()) -> None:
        self.header = row(map(cell, headings(labels, leading)))
        self._clock = clock
        self._columns = {name: number for number, name in enumerate(labels[:MOST_COLUMNS])}
        self._empty = [b""] * (len(self._columns) + (len(labels) > MOST_COLUMNS))
        self._named = lru_cache(_REMEMBERED)(lambda literal: text_cell(points.text(literal)))
        self._labelled = lru_cache(_REMEMBERED)(self._label_cells)

    def of(self, chunk: Chunk, leading: bytes = b"") -> bytes:
        """The rows of a chunk, each after the cells ``leading``."""
        return self._by_columns(chunk, leading) or self._at_once(chunk, leading) or self._one_by_one(chunk, leading)

    def _by_columns(self, chunk: Chunk, leading: bytes) -> bytes | None:
        """The rows of many points, where their cells can be copied from the chunk's text."""
        if chunk.count < _MANY or len(self._empty) > len(self._columns):
            return None
        return columns_to_csv.rows(chunk, leading, self._named, self._columns, self._clock)

    def _at_once(self, chunk: Chunk, leading: bytes) -> bytes:
        """The rows of points as runtimes usually write them, in one pass; empty for others."""
        found = _POINT.findall(chunk.text)
        if not found or len(found) != chunk.count:
            return b""
        names, values, minutes, rests, steps, labels = zip(*found, strict=True)
        readings = {minute: self._clock.reading(minute) for minute in set(minutes)}
        try:
            heads = {name: leading + self._named(name) + b"," for name in set(names)}
            tails = {literal: self._labelled(literal) for literal in set(labels)}
            dates = {minute: b"," + reading.local for minute, reading in readings.items() if reading is not None}
            offsets = {minute: reading.offset + b"," for minute, reading in readings.items() if reading is not None}
            pieces = [b""] * (_PIECES * len(found))
            pieces[0::_PIECES] = map(heads.__getitem__, names)
            pieces[1::_PIECES] = _numbers(values)
            pieces[2::_PIECES] = map(dates.__getitem__, minutes)
            pieces[3::_PIECES] = rests
            pieces[4::_PIECES] = map(offsets.__getitem__, minutes)
            pieces[5::_PIECES] = _numbers(steps)
            pieces[6::_PIECES] = map(tails.__getitem__, labels)
        except (ValueError, KeyError):  # a bracket within a label's text; an offset that changes within a minute
            return b""
        return b"".join(pieces)

    def _one_by_one(self, chunk: Chunk, leading: bytes) -> bytes:
        zoned = Chunk(localized(chunk.text, self._clock), chunk.count)
        columns = points.columns(zoned, ("name", "value", "timestamp", "step", "labels"))
        return b"".join(leading + self._row(*literals) for literals in zip(*columns, strict=True))

    def _row(self, name: bytes, value: bytes, timestamp: bytes, step: bytes, given: bytes) -> bytes:
        return b"%b,%b,%b,%b%b" % (
            self._named(name),
            b"" if value == points.NULL else value.strip(b'"'),
            b"" if timestamp == points.NULL else timestamp[1:-1],
            b"" if step == points.NULL else step,
            self._labelled(given),
        )

    def _label_cells(self, literal: bytes) -> bytes:
        texts, others = by_column(literal, self._columns)
        cells = self._empty.copy()
        for number, text in texts.items():
            cells[number] = text_cell(text)
        if others:
            cells[-1] = cell(_json(others))
        return row((b"", *cells))


def _numbers(literals: Sequence[bytes]) -> Iterable[bytes]:
    if points.NULL in literals or not _NOT_FINITE.isdisjoint(literals):
        return [b"" if literal == points.NULL else literal.strip(b'"') for literal in literals]
    return literals


def _json(labels: Iterable[NameValue]) -> str:
    """Labels as JSON without semicolons, which need no escaping as cells."""
    return json.dumps([label._asdict() for label in labels]).replace(";", "\\u003b")
