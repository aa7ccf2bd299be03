"""Points as typed columns: Apache Parquet and Arrow's IPC stream (``pyarrow``, the extra ``table``).

``runId``, ``name``, ``value``, ``timestamp``, ``step``, then a column for each label name, as the CSV has them. No
value is rounded; a column is text where no type holds all of its values:

- ``step`` is a 64-bit integer, or text where one does not fit.
- ``value`` is a 64-bit integer where all are; a double where the shortest decimal text of each double equals the logged
  number (NaN and infinities included); otherwise text, digit for digit.
- ``timestamp`` has the caller's time zone and microseconds, or nanoseconds where one has more digits; text where one
  has more than nine digits, or a year outside the type's range.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from service.api.http.csv_text import readable
from service.api.resources.metric_resource.to_csv import MOST_COLUMNS, by_column, headings
from service.domain import points
from service.domain.column_types import ColumnTypes
from service.domain.localizing import localized_literal
from service.domain.metrics import Chunk
from service.domain.selection.chunks import step
from service.domain.timestamps import zone_clock
from service.domain.zones import TimeZone

if TYPE_CHECKING:
    import pyarrow as pa

ROWS_A_GROUP = 30_000
"""The least number of rows in a Parquet row group, except the last."""
_REMEMBERED = 65_536
_TO_SECONDS = len('"2026-03-29T01:00:13')


def is_installed() -> bool:
    """Whether the extra ``table`` is installed."""
    return find_spec("pyarrow") is not None


class Table:
    """Writes points with a column for each of ``labels``; ``types`` are those of the columns. ``missing`` is part of
    the schema's metadata."""

    def __init__(
        self, labels: Sequence[str], types: ColumnTypes, zone: TimeZone, missing: Sequence[Mapping[str, Any]]
    ) -> None:
        import pyarrow as pa  # noqa: PLC0415 - an extra, and slow to import

        self._pa = pa
        self._types = types
        self._clock = zone_clock(zone)
        self._columns = {name: number for number, name in enumerate(labels[:MOST_COLUMNS])}
        self._width = len(self._columns) + (len(labels) > MOST_COLUMNS)
        self._named = lru_cache(_REMEMBERED)(_text)
        self._labelled = lru_cache(_REMEMBERED)(self._label_cells)
        self._value = _value_type(pa, types)
        self._step = pa.int64() if types.steps_are_integers else pa.string()
        self._timestamp = pa.timestamp(types.unit, zone.name) if types.unit else pa.string()
        names = headings(labels, ("runId",), readable)
        kinds = [pa.string(), pa.string(), self._value, self._timestamp, self._step, *[pa.string()] * self._width]
        metadata = {"missing": json.dumps(list(missing))} if missing else None
        self.schema = pa.schema(list(zip(names, kinds, strict=True)), metadata=metadata)

    def parquet(self, runs: Iterable[tuple[str, Chunk]]) -> Iterator[bytes]:
        """The file, in pieces."""
        import pyarrow.parquet as pq  # noqa: PLC0415 - an extra, and slow to import

        sink = _Sink()
        with pq.ParquetWriter(sink, self.schema) as writer:
            held: list[pa.RecordBatch] = []
            rows = 0
            for batch in self._batches(runs):
                held.append(batch)
                rows += batch.num_rows
                if rows >= ROWS_A_GROUP:
                    writer.write_table(self._pa.Table.from_batches(held, self.schema))
                    held, rows = [], 0
                    yield sink.taken()
            if held:
                writer.write_table(self._pa.Table.from_batches(held, self.schema))
        yield sink.taken()

    def arrow(self, runs: Iterable[tuple[str, Chunk]]) -> Iterator[bytes]:
        """The stream, in pieces."""
        sink = _Sink()
        with self._pa.ipc.new_stream(sink, self.schema) as writer:
            for batch in self._batches(runs):
                writer.write_batch(batch)
                yield sink.taken()
        yield sink.taken()

    def _batches(self, runs: Iterable[tuple[str, Chunk]]) -> Iterator[pa.RecordBatch]:
        for run_id, chunk in runs:
            names, values, timestamps, steps, labels = points.columns(
                chunk, ("name", "value", "timestamp", "step", "labels")
            )
            cells = list(map(self._labelled, labels))
            columns = [
                self._pa.array([run_id] * chunk.count, self._pa.string()),
                self._pa.array(list(map(self._named, names)), self._pa.string()),
                self._values(values),
                self._timestamps(timestamps),
                self._steps(steps),
                *(self._pa.array([row[number] for row in cells], self._pa.string()) for number in range(self._width)),
            ]
            yield self._pa.RecordBatch.from_arrays(columns, schema=self.schema)

    def _values(self, literals: Sequence[bytes]) -> pa.Array:
        read: Callable[[bytes], Any] = _written
        if self._types.values_are_integers:
            read = int
        elif self._types.values_are_doubles:
            read = points.number
        return self._pa.array([None if one == points.NULL else read(one) for one in literals], self._value)

    def _steps(self, literals: Sequence[bytes]) -> pa.Array:
        read: Callable[[bytes], Any] = step if self._types.steps_are_integers else _written
        return self._pa.array([None if one == points.NULL else read(one) for one in literals], self._step)

    def _timestamps(self, literals: Sequence[bytes]) -> pa.Array:
        unit = self._types.unit
        if unit is None:
            zoned = [None if one == points.NULL else _written(localized_literal(one, self._clock)) for one in literals]
            return self._pa.array(zoned, self._timestamp)
        digits = {"us": 6, "ns": 9}[unit]
        texts = [None if one == points.NULL else _cut(one, digits) for one in literals]
        return self._pa.array(texts, self._pa.string()).cast(self._timestamp)

    def _label_cells(self, literal: bytes) -> tuple[str | None, ...]:
        texts, others = by_column(literal, self._columns)
        cells: list[str | None] = [None] * self._width
        for number, text in texts.items():
            cells[number] = readable(text)
        if others:
            cells[-1] = json.dumps([label._asdict() for label in others])
        return tuple(cells)


class _Sink(io.RawIOBase):
    """A write-only file whose content is taken as it is written."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        piece = bytes(data)
        self._pieces.append(piece)
        return len(piece)

    def taken(self) -> bytes:
        """What was written since the last call."""
        found, self._pieces = b"".join(self._pieces), []
        return found


def _value_type(pa: Any, types: ColumnTypes) -> Any:
    if types.values_are_integers:
        return pa.int64()
    return pa.float64() if types.values_are_doubles else pa.string()


def _cut(literal: bytes, digits: int) -> str:
    """A timestamp cut to ``digits`` fractional digits; the others are zeros."""
    return literal[1 : _TO_SECONDS + 1 + digits].rstrip(b'Z"').decode("ascii") + "Z"


def _written(literal: bytes) -> str:
    return literal.strip(b'"').decode("ascii")


def _text(literal: bytes) -> str:
    return readable(points.text(literal))
