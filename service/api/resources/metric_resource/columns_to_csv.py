"""Points as CSV by columns (numpy): cells are copied from the points' JSON text without parsing.

Only for points whose text is that of their cells: without quotes, blanks, separators or the beginning of a formula.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from service.domain.metrics import Chunk
from service.domain.point_layout import Bytes, Integers, Spans, alike, layout_of, stretches
from service.domain.points import text
from service.domain.timestamps import ZoneClock

_PLAIN = np.zeros(256, np.bool_)
_PLAIN[[*range(ord("0"), ord("9") + 1), *range(ord("A"), ord("Z") + 1), *range(ord("a"), ord("z") + 1)]] = True
_PLAIN[np.frombuffer(b"_-./:+=@#()[]{}%&*!?^~|<>$", np.uint8)] = True
_CALCULATED = np.frombuffer(b"=+-@", np.uint8)
_MINUTE = len("2026-03-29T01:00")
_NULL = ord("n")
_WIDEST, _PADDED = 256, 4
"""Bytes of the longest cell; and the length of all cells with padding, as a multiple of the points' text."""


def rows(
    chunk: Chunk, leading: bytes, named: Callable[[bytes], bytes], columns: Mapping[str, int], clock: ZoneClock
) -> bytes | None:
    """The rows after the cells ``leading``, with a column for each label name of ``columns``; ``None`` where points are
    written differently, or a label has to be escaped. ``named`` makes the cell of a name's literal."""
    layout = layout_of(chunk)
    if layout is None:
        return None
    labels = {columns.get(text(b'"' + name + b'"')): spans for name, spans in layout.labels}
    if len(labels) < len(layout.labels) or None in labels:
        return None  # a label twice, or one that shares a column
    spans = (layout.names, layout.values, layout.timestamps, layout.steps, *labels.values())
    if max(one.width for one in spans) > _WIDEST or sum(one.width for one in spans) * chunk.count > _PADDED * len(
        chunk.text
    ):
        return None  # shorter ones would be padded to that
    one_name = alike(chunk.text, layout.names)
    if not all(_is_plain(chunk.text, spans) for spans in (*[layout.names] * (not one_name), *labels.values())):
        return None
    row = _Row(chunk)
    row.constant(leading)
    if one_name:
        row.constant(named(chunk.text[layout.names.starts[0] - 1 : layout.names.ends[0] + 1]))
    else:
        row.spans(layout.names)
    row.constant(b",")
    row.number(layout.values, comma=True)
    if not row.timestamp(layout.timestamps, clock):
        return None
    row.number(layout.steps, comma=bool(columns))
    for column in range(len(columns)):
        if column:
            row.constant(b",")
        if column in labels:
            row.spans(labels[column])
    row.constant(b"\r\n")
    return row.written()


def _is_plain(text: bytes, spans: Spans) -> bool:
    found, belongs = stretches(text, spans)
    calculated = np.isin(found[:, :1], _CALCULATED) & belongs[:, :1]
    return bool((_PLAIN[found] | ~belongs).all() and not calculated.any())


class _Row:
    """Collects the cells of all rows, column by column."""

    def __init__(self, chunk: Chunk) -> None:
        self._text = chunk.text
        self._bytes = np.frombuffer(chunk.text, np.uint8)
        self._count = chunk.count
        self._parts: list[tuple[Bytes | bytes, NDArray[np.bool_] | bool]] = []

    def constant(self, literal: bytes) -> None:
        self._parts.append((literal, True))

    def spans(self, spans: Spans) -> None:
        self._parts.append(stretches(self._text, spans))

    def number(self, spans: Spans, *, comma: bool) -> None:
        """Empty for ``null``; with the comma after it in the text."""
        given = self._bytes[spans.starts] != _NULL
        starts = spans.starts if given.all() else np.where(given, spans.starts, spans.ends)
        self.spans(Spans(starts, spans.ends + comma))

    def timestamp(self, spans: Spans, clock: ZoneClock) -> bool:
        """The local time and a comma; false where the offset changes within a minute.

        Points of a minute are mostly consecutive, so the zone is looked up when the minute changes.
        """
        if clock.is_utc:
            self.spans(spans)
            self.constant(b",")
            return True
        seconds = spans.starts + _MINUTE
        halves = stretches(self._text, Spans(spans.starts, seconds))[0].view("<u8")
        changed = np.append(True, (halves[1:] != halves[:-1]).any(axis=1))
        minutes = (self._text[start : start + _MINUTE] for start in spans.starts[changed].tolist())
        readings = list(map(clock.reading, minutes))
        found = [reading for reading in readings if reading is not None]
        if len(found) < len(readings):
            return False
        number = np.cumsum(changed) - 1
        self._table([reading.local for reading in found], number)
        self.spans(Spans(seconds, spans.ends - 1))
        self._table([reading.offset + b"," for reading in found], number)
        return True

    def written(self) -> bytes:
        """The rows."""
        widths = [len(part) if isinstance(part, bytes) else part.shape[1] for part, _ in self._parts]
        found = np.empty((self._count, sum(widths)), np.uint8)
        belongs = np.empty(found.shape, np.bool_)
        end = 0
        for (part, of_it), width in zip(self._parts, widths, strict=True):
            start, end = end, end + width
            found[:, start:end] = np.frombuffer(part, np.uint8) if isinstance(part, bytes) else part
            belongs[:, start:end] = of_it
        return found[belongs].tobytes()

    def _table(self, texts: Sequence[bytes], number: Integers) -> None:
        """For each row, the text with its number."""
        lengths = np.array([len(one) for one in texts])
        ends = np.cumsum(lengths)
        found, belongs = stretches(b"".join(texts), Spans(ends - lengths, ends))
        self._parts.append((found[number], belongs[number]))
