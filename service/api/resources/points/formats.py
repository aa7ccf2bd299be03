"""The formats of the points of many runs: written run by run, with one run in memory at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

import msgspec

from service.api.http.formats import ARROW, CSV, CSV_EXCEL, JSON, NDJSON, PARQUET, Writers, with_byte_order_mark
from service.api.resources.metric_resource.to_csv import PointRows
from service.api.resources.metric_resource.to_json import warnings
from service.api.resources.points import to_table
from service.domain.column_types import ColumnTypes
from service.domain.localizing import localized
from service.domain.metrics import READABLE, Chunk, MetricResource
from service.domain.selection.chunks import objects
from service.domain.timestamps import ZoneClock, zone_clock
from service.domain.zones import TimeZone

NO_TABLES = "Parquet and Arrow need the extra 'table' of this service, which is not installed here"
_LEADING = ("runId",)
_BEGIN = b'{"name":'
_NEXT = b"]}," + _BEGIN
"""The text between two points, as runtimes usually write it. In a string the quote would be escaped."""
_ONE_LINE = bytes.maketrans(b"\r\n", b"  ")


class RunPoints(msgspec.Struct, frozen=True):
    """The selected points of one run, loaded when they are read."""

    run_id: str
    resource: Callable[[], MetricResource]
    shown: Callable[[MetricResource], Iterable[Chunk]]


class ManyPoints(msgspec.Struct, frozen=True):
    """Points to be written. ``labels`` returns the names of all their labels, ``types`` the types of their columns;
    ``page`` is one more member of the JSON answer."""

    runs: Sequence[RunPoints]
    missing: Sequence[Mapping[str, Any]]
    zone: TimeZone
    page: bytes
    labels: Callable[[], Sequence[str]]
    types: Callable[[], ColumnTypes]

    def json(self) -> Iterator[bytes]:
        clock, unreadable, between = zone_clock(self.zone), READABLE, b""
        yield b'{"timezone":"%b","points":[' % self.zone.name.encode("ascii")
        for run in self.runs:
            resource = run.resource()
            unreadable += resource.unreadable
            for chunk in run.shown(resource):
                yield between
                yield _written(run.run_id, chunk, clock, b",")
                between = b","
        yield b'],"missing":%b%b%b}' % (msgspec.json.encode(self.missing), warnings(unreadable), self.page)

    def csv(self) -> Iterator[bytes]:
        table = PointRows(self.labels(), zone_clock(self.zone), _LEADING)
        rows = (table.of(chunk, run.run_id.encode("ascii") + b",") for run, chunk in self._chunks())
        return chain((table.header,), rows)

    def ndjson(self) -> Iterator[bytes]:
        clock = zone_clock(self.zone)
        for run, chunk in self._chunks():
            yield _written(run.run_id, chunk, clock, b"\n") + b"\n"
        if self.missing:
            yield b'{"missing":%b}\n' % msgspec.json.encode(self.missing)

    def parquet(self) -> Iterator[bytes]:
        return self._table().parquet((run.run_id, chunk) for run, chunk in self._chunks())

    def arrow(self) -> Iterator[bytes]:
        return self._table().arrow((run.run_id, chunk) for run, chunk in self._chunks())

    def _table(self) -> to_table.Table:
        return to_table.Table(self.labels(), self.types(), self.zone, self.missing)

    def _chunks(self) -> Iterator[tuple[RunPoints, Chunk]]:
        return ((run, chunk) for run in self.runs for chunk in run.shown(run.resource()))


WITHOUT_TABLES: Writers[ManyPoints] = {
    JSON: ManyPoints.json,
    CSV: ManyPoints.csv,
    CSV_EXCEL: with_byte_order_mark(ManyPoints.csv),
    NDJSON: ManyPoints.ndjson,
}
FORMATS: Writers[ManyPoints] = {**WITHOUT_TABLES, PARQUET: ManyPoints.parquet, ARROW: ManyPoints.arrow}


def _written(run_id: str, chunk: Chunk, clock: ZoneClock, between: bytes) -> bytes:
    """The points as JSON objects, one a line, with ``runId`` first and ``between`` as the separator."""
    text = localized(chunk.text, clock)
    if b"\n" in text or b"\r" in text:
        text = text.translate(_ONE_LINE)
    opening = b'{"runId":"%b",' % run_id.encode("ascii")
    if text.startswith(_BEGIN) and text.count(_NEXT) == chunk.count - 1:
        return opening + text[1:].replace(_NEXT, b"]}" + between + opening + _BEGIN[1:])
    return between.join([opening + bytes(one)[1:] for one in objects(Chunk(text, chunk.count))])
