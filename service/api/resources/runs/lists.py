"""Answers with the runs of a resource group: selected, sorted, in pages of one snapshot, with their metrics."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import msgspec
from flask import Response

from service.api.http.pagination import Pages, Window
from service.api.http.request import TIME_ZONE, ReadRequest
from service.api.http.responses import Answers, Representation
from service.api.resources.runs.formats import FORMATS, Runs
from service.api.resources.runs.metrics import RunMetrics, check_number
from service.api.resources.runs.query import RunsParameters
from service.api.resources.runs.selected_runs import SelectedRuns
from service.api.resources.runs.to_json import Columns
from service.domain.errors import CursorExpired
from service.domain.freshness import Snapshot
from service.domain.run_lists import Rows, RunList
from service.domain.runtime import RequestContext
from service.domain.selection.run_filters import ordered
from service.reads.queries import Queries


class RunLists(msgspec.Struct, frozen=True):
    """Answers requests for runs."""

    queries: Queries
    answers: Answers
    rows: SelectedRuns
    paging: Pages

    def answer(self, read_request: ReadRequest[RunsParameters]) -> Response:
        window, snapshot = self.paging.asked(read_request)
        return self.answers.read(partial(self._represent, read_request, window, snapshot), read_request.context)

    def _represent(
        self,
        read_request: ReadRequest[RunsParameters],
        window: Window,
        snapshot: Snapshot | None,
        context: RequestContext,
    ) -> Representation:
        query = read_request.query
        read = self.queries.runs(context, None if query.by_metrics else snapshot)
        content = read.content()
        matching = self.rows.of(read, content, query.wanted, () if query.by_metrics else query.sort)
        listed, metrics = self._metrics(query, content, matching, window, context)
        current = metrics.snapshot(read.snapshot) if query.by_metrics else read.snapshot
        if query.by_metrics and snapshot not in {None, current}:
            raise CursorExpired
        following = self.paging.next(read_request, window, current, len(matching))

        def make() -> Iterable[bytes]:
            found = metrics.values((*query.metric, *query.by_metrics))
            rows = ordered(listed, matching, query.sort, found) if query.by_metrics else matching
            return FORMATS[read_request.format](
                Runs(
                    listed,
                    rows[window.position : window.end],
                    len(matching),
                    read_request.zone,
                    paged=query.is_paged,
                    following=following,
                    columns=Columns(query.metric, found, len(metrics.unread)),
                )
            )

        written = read.size * len(matching[window.position : window.end]) // max(1, listed.count)
        return Representation(
            content=(read.key, read.digest.hex(), metrics.digest.hex()),
            form=("runs", read_request.zone.name, repr(query), *window.form, str(following)),
            format=read_request.format,
            provenance=metrics.provenance(read.provenance),
            make=make,
            varies=(TIME_ZONE,),
            weight=metrics.weight + written,
            length=2 * written,
            file="runs",
            next_page=following,
            total=len(matching),
            missing=metrics.unread,
        )

    def _metrics(
        self, query: RunsParameters, listed: RunList, matching: Rows, window: Window, context: RequestContext
    ) -> tuple[RunList, RunMetrics]:
        """The metrics of all matching runs where they are sorted by them, otherwise of the runs of the page; and the
        list with these runs in memory."""
        given = matching[window.position : window.end] if query.metric else ()
        looked_at = matching if query.by_metrics else given
        check_number(len(looked_at), sorting=bool(query.by_metrics))
        if not looked_at:
            return listed, RunMetrics({})
        known = listed.with_runs(looked_at)
        return known, RunMetrics.read(known.runs(looked_at), self.queries, context)
