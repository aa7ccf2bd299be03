"""The runs of a resource group, and one of them with what surrounds it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from urllib.parse import urlencode

from flask import Response

from service.api.http import pagination
from service.api.http.formats import JSON
from service.api.http.guards import requires
from service.api.http.long_poll import LongPoll
from service.api.http.pagination import TOTAL, Pages
from service.api.http.parameters import Parameters
from service.api.http.relative_urls import relative
from service.api.http.request import TIME_ZONE, ReadRequest
from service.api.http.responses import Answers, Variant, save_as
from service.api.http.run_answers import anew_if_gone
from service.api.openapi.blueprints import Blueprint, documented
from service.api.openapi.schemas import Query
from service.api.resources.runs import to_json
from service.api.resources.runs.formats import FORMATS, Runs
from service.api.resources.runs.metrics import RunMetrics, check_number
from service.api.resources.runs.query import RunsParameters, RunsQuery, scopes_by_query
from service.api.resources.runs.schemas import RunDetailsSchema, RunListSchema
from service.api.resources.runs.to_json import Columns, Link
from service.domain.access import Scope
from service.domain.errors import CursorExpired
from service.domain.runtime import RequestContext
from service.domain.selection.run_filters import ordered, selected
from service.reads.queries import Queries


def blueprint(
    queries: Queries, answers: Answers, paging: Pages, long_poll: LongPoll, blueprints: Callable[[str, str], Blueprint]
) -> Blueprint:
    """Routes ``/runs`` and ``/runs/{runId}``."""
    routes = blueprints(
        "Runs",
        "Training processes, *executions* in the AI API and in ML Operations: where they stand, what they were started "
        "with, what came of them. A run template is an *executable* there.",
    )

    @routes.route("/runs")
    @routes.arguments(RunsQuery, location="query", formats=FORMATS)
    @documented(
        "listRuns",
        RunListSchema,
        "List runs",
        query=RunsQuery,
        zoned=True,
        run=False,
        paged=True,
        formats=FORMATS,
        more=("Content-Disposition", TOTAL),
    )
    @requires(Scope.EXECUTIONS_READ, also=scopes_by_query)
    def runs(read_request: ReadRequest[RunsParameters]) -> Response:
        """The runs of the resource group, newest first or sorted; all of them, or in pages of one snapshot.

        With `metric` each run says what its metrics come to; `sort=metric:Loss:min` has the best run first. CSV has a
        column for each member that a run has in JSON, and for each metric; `X-Total-Count` says there how many match.
        """
        window, snapshot = paging.asked(read_request)
        by_metrics = read_request.query.by_metrics

        def respond(context: RequestContext) -> Response:
            read = queries.runs(context, None if by_metrics else snapshot)
            matching = selected(read.content().runs, read_request.query.wanted)
            if by_metrics:
                check_number(matching, sorting=True)
                metrics = RunMetrics.read(matching, queries, context)
                current = metrics.snapshot(read.snapshot)
                if snapshot not in {None, current}:
                    raise CursorExpired
            else:
                matching = ordered(matching, read_request.query.sort)
                shown = matching[window.position : window.end] if read_request.query.metric else ()
                check_number(shown, sorting=False)
                metrics, current = RunMetrics.read(shown, queries, context), read.snapshot
            following = paging.next(read_request, window, current, len(matching))
            form = ("runs", read_request.zone.name, repr(read_request.query), *window.form, str(following))

            def make() -> Iterable[bytes]:
                found = metrics.answers((*read_request.query.metric, *by_metrics))
                runs = ordered(matching, read_request.query.sort, found) if by_metrics else matching
                return FORMATS[read_request.format](
                    Runs(
                        runs[window.position : window.end],
                        len(matching),
                        read_request.zone,
                        paged=read_request.query.is_paged,
                        following=following,
                        columns=Columns(read_request.query.metric, found, metrics.unread),
                    )
                )

            content = (read.key, read.digest.hex(), metrics.digest.hex())
            response = answers.answer(
                Variant(content, form, read_request.format, (TIME_ZONE,), weight=metrics.weight),
                metrics.provenance(read.provenance),
                make,
            )
            pagination.link(response, following)
            if read_request.format != JSON:
                response.headers[TOTAL] = str(len(matching))
            return response

        response = anew_if_gone(respond, read_request.context)
        save_as(response, "runs", read_request.format)
        return response

    @routes.route("/runs/<string:run_id>")
    @routes.arguments(Query, location="query")
    @documented("getRun", RunDetailsSchema, "Read a run", zoned=True, more=("Preference-Applied",), awaited=True)
    @requires(Scope.EXECUTIONS_READ)
    def run(read_request: ReadRequest[Parameters], run_id: str) -> Response:
        """A run with its parameters, artifacts, scenario and executable, and where its metric resource and log are.

        A part that cannot be read is `null` and named in `unavailable`; the rest is given.
        """

        def respond(context: RequestContext) -> Response:
            read = queries.run(run_id, context)
            can = queries.capabilities_if_known(context)
            named = (
                ""
                if read_request.query.connection is None
                else "?" + urlencode({"connection": read_request.query.connection})
            )
            href = relative(f"/runs/{run_id}/metric-resource") + named
            metric_resource = Link(None if can is None else can.metrics, href)
            logs = Link(None if can is None else can.logs, relative(f"/runs/{run_id}/logs") + named)
            form = ("run", read_request.zone.name, repr(metric_resource), repr(logs))
            return answers.answer(
                Variant((read.key, read.digest.hex()), form, read_request.format, (TIME_ZONE,)),
                read.provenance,
                lambda: to_json.run_details(read.content(), read_request.zone, metric_resource, logs),
            )

        return long_poll.answer(partial(anew_if_gone, respond), read_request.context)

    return routes
