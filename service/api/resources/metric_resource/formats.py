"""The points of a run that a request asks for, a page of them where it wants pages, in the format that it takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from service.api.http import pagination
from service.api.http.formats import CSV, CSV_EXCEL, JSON, NDJSON, Writers, with_byte_order_mark
from service.api.http.pagination import Window
from service.api.http.request import ReadRequest
from service.api.resources.metric_resource import to_csv, to_json, to_ndjson
from service.api.resources.metric_resource.arrangements import Arrangements, Rows
from service.api.resources.metric_resource.query import SelectionParameters
from service.domain.metrics import Chunk, MetricResource
from service.domain.selection.filters import Filter
from service.domain.selection.objects import POINTS_A_CHUNK, gathered, window
from service.domain.selection.sorting import SortKey
from service.domain.timestamps import zone_clock
from service.domain.zones import TimeZone
from service.reads.results import Read


@dataclass(frozen=True, slots=True)
class Points:
    """Points to be written; ``labels`` has the names of all their labels, for formats with a column for each."""

    chunks: Iterable[Chunk]
    zone: TimeZone
    labels: Callable[[], Sequence[str]]

    def csv(self) -> Iterator[bytes]:
        return to_csv.rows(self.chunks, zone_clock(self.zone), self.labels())

    def ndjson(self) -> Iterator[bytes]:
        return to_ndjson.lines(self.chunks, zone_clock(self.zone))


@dataclass(frozen=True, slots=True)
class RunPoints(Points):
    """Those of a run with all that JSON gives beside them; ``page`` is a further member of it."""

    resource: MetricResource
    page: bytes

    def json(self) -> Iterator[bytes]:
        return to_json.metric_resource(self.resource, self.chunks, self.zone, self.page)


TABLES: Writers[Points] = {CSV: Points.csv, CSV_EXCEL: with_byte_order_mark(Points.csv), NDJSON: Points.ndjson}
"""What writes points as a table, whatever resource they are of."""
FORMATS: Writers[RunPoints] = {JSON: RunPoints.json, **TABLES}


@dataclass(frozen=True, slots=True)
class Selection:
    """What is asked for of the points of a run."""

    read_request: ReadRequest[SelectionParameters]
    window: Window

    @property
    def wanted(self) -> Filter:
        return self.read_request.query.wanted

    @property
    def sort(self) -> Sequence[SortKey]:
        return self.read_request.query.sort

    @property
    def form(self) -> tuple[str, ...]:
        """What tells its representations from others."""
        return ("metric-resource", self.read_request.zone.name, repr(self.wanted), repr(self.sort), *self.window.form)

    def written(self, run: Read[MetricResource], arrangements: Arrangements, following: str | None) -> Iterable[bytes]:
        """The answer, in pieces; ``following`` is the next page's URL."""
        rows = arrangements.rows(run, self.wanted, self.sort)
        resource = run.content()
        total = resource.count if rows is None else len(rows)
        page = b"" if self.is_whole else b"," + pagination.member(total, following)
        labels = partial(arrangements.label_names, run, self.wanted)
        points = RunPoints(self._shown(resource, rows), self.read_request.zone, labels, resource, page)
        return FORMATS[self.read_request.format](points)

    @property
    def is_whole(self) -> bool:
        """Whether nothing is left out."""
        return self.wanted.is_empty and not self.read_request.query.is_paged

    def total(self, run: Read[MetricResource], arrangements: Arrangements) -> int:
        """How many points match, on all pages together."""
        rows = arrangements.rows(run, self.wanted, ())
        return run.content().count if rows is None else len(rows)

    def extent(self, run: Read[MetricResource], arrangements: Arrangements, total: int) -> tuple[int, int]:
        """The bytes of chunks that are looked at for the answer, and those that it has, both roughly.

        ``total`` as above, or 0 where nobody counted.
        """
        limit = self.window.limit
        if limit is not None and total:
            looked_at = limit * POINTS_A_CHUNK if self.sort else limit + 2 * POINTS_A_CHUNK
            return int(run.size * min(1.0, looked_at / total)), int(run.size * min(1.0, limit / total))
        if self.wanted.is_empty or not arrangements.are_worth_knowing(run):
            return run.size, run.size
        return run.size, int(run.size * self.total(run, arrangements) / max(1, run.content().count))

    def _shown(self, resource: MetricResource, rows: Rows | None) -> Iterable[Chunk]:
        position, end = self.window.position, self.window.end
        if rows is not None:
            return gathered(resource.metrics, rows[position:end])
        if not position and end is None:
            return resource.metrics
        return window(resource.metrics, position, resource.count if end is None else end - position)
