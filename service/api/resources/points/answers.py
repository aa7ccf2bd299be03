"""Answers with the points of many runs: all of them, or a page, and the runs that could not be read."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import partial, reduce
from operator import and_

import msgspec
from flask import Response

from service.api.http import pagination, problems
from service.api.http.pagination import Pages, Window
from service.api.http.request import TIME_ZONE, ReadRequest
from service.api.http.responses import Answers, Representation
from service.api.resources.metric_resource.selected_points import SelectedPoints
from service.api.resources.points.formats import FORMATS, ManyPoints, RunPoints
from service.api.resources.points.query import PointsParameters
from service.domain.column_types import ColumnTypes
from service.domain.freshness import Snapshot
from service.domain.metrics import MOST_LABEL_NAMES, Chunk, MetricResource
from service.domain.runtime import RequestContext
from service.domain.selection.chunks import gathered
from service.domain.selection.chunks import window as stretch
from service.domain.selection.filters import Filter, passing
from service.reads.points import ReadPoints
from service.reads.queries import Queries
from service.reads.results import Read


class PointTables(msgspec.Struct, frozen=True):
    """Answers requests for tables of points."""

    queries: Queries
    answers: Answers
    selected_points: SelectedPoints
    paging: Pages

    def answer(self, read_request: ReadRequest[PointsParameters]) -> Response:
        window, snapshot = self.paging.asked(read_request)
        return self.answers.read(partial(self._represent, read_request, window, snapshot), read_request.context)

    def _represent(
        self,
        read_request: ReadRequest[PointsParameters],
        window: Window,
        snapshot: Snapshot | None,
        context: RequestContext,
    ) -> Representation:
        wanted = read_request.query.wanted
        read = self.queries.metrics.points(read_request.query.run, context, snapshot)
        pages = _Pages.of(read, wanted, window, self.selected_points) if read_request.query.is_paged else None
        following = None if pages is None else self.paging.next(read_request, window, read.snapshot, pages.total)
        if following is not None:
            read.keep()
        missing = problems.missing_runs(read.missing)
        content = (part for one in read.found.values() for part in (one.key, one.digest.hex()))
        unread = json.dumps([(one["runId"], one["problem"]["type"]) for one in missing])
        size = read.size if pages is None else pages.size

        def make() -> Iterable[bytes]:
            found = ManyPoints(
                _whole(read, wanted) if pages is None else pages.runs(read, wanted, self.selected_points),
                missing,
                read_request.zone,
                b"" if pages is None else b"," + pagination.member(pages.total, following),
                partial(_label_names, read, wanted, self.selected_points),
                partial(_column_types, read, wanted, self.selected_points),
            )
            return FORMATS[read_request.format](found)

        return Representation(
            content=(*content, unread),
            form=("points", read_request.zone.name, repr(wanted), *window.form, str(following)),
            format=read_request.format,
            provenance=read.provenance,
            make=make,
            varies=(TIME_ZONE,),
            weight=size,
            length=size,
            streamed=True,
            file="points",
            next_page=following,
            total=None if pages is None else pages.total,
            missing=read.missing,
        )


class _Pages(msgspec.Struct, frozen=True):
    """The points of a page: the runs on it, and the rows of each."""

    total: int
    size: int
    stretches: dict[str, tuple[int, int]]

    @classmethod
    def of(cls, read: ReadPoints, wanted: Filter, window: Window, selected_points: SelectedPoints) -> _Pages:
        total, size = 0, 0
        stretches: dict[str, tuple[int, int]] = {}
        for run_id, one in read.found.items():
            rows = selected_points.rows(one, wanted, ())
            count = one.content().count if rows is None else len(rows)
            first = max(window.position - total, 0)
            last = count if window.end is None else min(window.end - total, count)
            if first < last:
                stretches[run_id] = first, last
                size += int(one.size * (last - first) / count)
            total += count
        return cls(total, size, stretches)

    def runs(self, read: ReadPoints, wanted: Filter, selected_points: SelectedPoints) -> list[RunPoints]:
        def shown(one: Read[MetricResource], first: int, last: int, resource: MetricResource) -> Iterable[Chunk]:
            rows = selected_points.rows(one, wanted, ())
            if rows is None:
                return stretch(resource.metrics, first, last - first)
            return gathered(resource.metrics, memoryview(rows)[first:last])

        return [
            RunPoints(run_id, read.found[run_id].content, partial(shown, read.found[run_id], first, last))
            for run_id, (first, last) in self.stretches.items()
        ]


def _whole(read: ReadPoints, wanted: Filter) -> list[RunPoints]:
    def shown(resource: MetricResource) -> Iterable[Chunk]:
        return passing(resource.metrics, wanted)

    return [RunPoints(run_id, one.content, shown) for run_id, one in read.found.items()]


def _label_names(read: ReadPoints, wanted: Filter, selected_points: SelectedPoints) -> Sequence[str]:
    """The label names of all runs, so that all pages have the same columns."""
    names = dict.fromkeys(name for one in read.found.values() for name in selected_points.label_names(one, wanted))
    return list(names)[:MOST_LABEL_NAMES]


def _column_types(read: ReadPoints, wanted: Filter, selected_points: SelectedPoints) -> ColumnTypes:
    """The column types of all runs, so that all pages have the same types."""
    found = (selected_points.column_types(one, wanted) for one in read.found.values())
    return reduce(and_, found, ColumnTypes())
