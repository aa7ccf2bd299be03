"""Answers with a run's metric resource: the selected points, or a page of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

import msgspec
from flask import Response

from service.api.http import pagination
from service.api.http.formats import JSON
from service.api.http.long_poll import LongPoll
from service.api.http.pagination import Pages, Window
from service.api.http.request import TIME_ZONE, ReadRequest
from service.api.http.responses import Answers, Representation
from service.api.resources.events.event_ids import EVENT_ID, EventIds
from service.api.resources.metric_resource.formats import FORMATS, RunPoints
from service.api.resources.metric_resource.query import SelectionParameters
from service.api.resources.metric_resource.selected_points import Rows, SelectedPoints
from service.domain.freshness import Snapshot
from service.domain.metrics import Chunk, MetricResource
from service.domain.runtime import RequestContext
from service.domain.selection.chunks import POINTS_A_CHUNK, gathered, window
from service.domain.selection.filters import Filter
from service.domain.selection.sorting import SortKey
from service.reads.queries import Queries
from service.reads.results import Read


class Selection(msgspec.Struct, frozen=True):
    """The points of a run that a request selects."""

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
        """What identifies its representations."""
        return ("metric-resource", self.read_request.zone.name, repr(self.wanted), repr(self.sort), *self.window.form)

    def written(
        self, run: Read[MetricResource], selected_points: SelectedPoints, following: str | None
    ) -> Iterable[bytes]:
        """The answer, in pieces; ``following`` is the next page's URL."""
        rows = selected_points.rows(run, self.wanted, self.sort)
        resource = run.content()
        total = resource.count if rows is None else len(rows)
        page = b"" if self.is_whole else b"," + pagination.member(total, following)
        labels = partial(selected_points.label_names, run, self.wanted)
        points = RunPoints(self._shown(resource, rows), self.read_request.zone, labels, resource, page)
        return FORMATS[self.read_request.format](points)

    @property
    def is_whole(self) -> bool:
        """Whether no point is left out."""
        return self.wanted.is_empty and not self.read_request.query.is_paged

    def total(self, run: Read[MetricResource], selected_points: SelectedPoints) -> int:
        """How many points match, on all pages together."""
        rows = selected_points.rows(run, self.wanted, ())
        return run.content().count if rows is None else len(rows)

    def extent(self, run: Read[MetricResource], selected_points: SelectedPoints, total: int) -> tuple[int, int]:
        """Roughly the bytes of chunks that are read for the answer, and its length in bytes.

        ``total`` as above, or 0 where they were not counted.
        """
        limit = self.window.limit
        if limit is not None and total:
            looked_at = limit * POINTS_A_CHUNK if self.sort else limit + 2 * POINTS_A_CHUNK
            return int(run.size * min(1.0, looked_at / total)), int(run.size * min(1.0, limit / total))
        if self.wanted.is_empty or not selected_points.is_worth_selecting(run):
            return run.size, run.size
        return run.size, int(run.size * self.total(run, selected_points) / max(1, run.content().count))

    def _shown(self, resource: MetricResource, rows: Rows | None) -> Iterable[Chunk]:
        position, end = self.window.position, self.window.end
        if rows is not None:
            return gathered(resource.metrics, memoryview(rows)[position:end])
        if not position and end is None:
            return resource.metrics
        return window(resource.metrics, position, resource.count if end is None else end - position)


class MetricResources(msgspec.Struct, frozen=True):
    """Answers requests for a run's metric resource."""

    queries: Queries
    answers: Answers
    selected_points: SelectedPoints
    paging: Pages
    long_poll: LongPoll
    event_ids: EventIds = msgspec.field(default_factory=EventIds)

    def answer(self, read_request: ReadRequest[SelectionParameters], run_id: str) -> Response:
        page, snapshot = self.paging.asked(read_request)
        represent = partial(self._represent, run_id, Selection(read_request, page), snapshot)
        return self.answers.read(represent, read_request.context, self.long_poll)

    def _represent(
        self, run_id: str, selection: Selection, snapshot: Snapshot | None, context: RequestContext
    ) -> Representation:
        read_request = selection.read_request
        is_paged = read_request.query.is_paged
        run = self.queries.metrics.resource(run_id, context, snapshot)
        counted = read_request.format != JSON and not selection.is_whole
        total = selection.total(run, self.selected_points) if is_paged or counted else 0
        following = self.paging.next(read_request, selection.window, run.snapshot, total) if is_paged else None
        weight, length = selection.extent(run, self.selected_points, total)
        return Representation(
            content=(run.key, run.digest.hex()),
            form=(*selection.form, str(following)),
            format=read_request.format,
            provenance=run.provenance,
            make=partial(selection.written, run, self.selected_points, following),
            varies=(TIME_ZONE,),
            entry=(run.key, run.digest),
            weight=weight,
            length=length,
            file=f"{run_id}-metrics",
            next_page=following,
            total=total if counted else None,
            headers={EVENT_ID: self.event_ids.of(run)},
        )
