"""The formats of a run's metric resource."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec

from service.api.http.formats import CSV, CSV_EXCEL, JSON, NDJSON, Writers, with_byte_order_mark
from service.api.resources.metric_resource import to_csv, to_json, to_ndjson
from service.domain.metrics import Chunk, MetricResource
from service.domain.timestamps import zone_clock
from service.domain.zones import TimeZone


class Points(msgspec.Struct, frozen=True):
    """Points to be written; ``labels`` returns the names of all their labels, for formats with a column for each."""

    chunks: Iterable[Chunk]
    zone: TimeZone
    labels: Callable[[], Sequence[str]]

    def csv(self) -> Iterator[bytes]:
        return to_csv.rows(self.chunks, zone_clock(self.zone), self.labels())

    def ndjson(self) -> Iterator[bytes]:
        return to_ndjson.lines(self.chunks, zone_clock(self.zone))


class RunPoints(Points, frozen=True):
    """Points of a run, with the other members of the JSON answer; ``page`` is one more member."""

    resource: MetricResource
    page: bytes

    def json(self) -> Iterator[bytes]:
        return to_json.metric_resource(self.resource, self.chunks, self.zone, self.page)


TABLES: Writers[Points] = {CSV: Points.csv, CSV_EXCEL: with_byte_order_mark(Points.csv), NDJSON: Points.ndjson}
"""The formats in which points are rows, for every resource with points."""
FORMATS: Writers[RunPoints] = {JSON: RunPoints.json, **TABLES}
