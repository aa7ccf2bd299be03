"""A run's metric resource, whole and in parts."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from flask import Response

from service.api.http import pagination
from service.api.http.formats import JSON
from service.api.http.guards import requires
from service.api.http.long_poll import LongPoll
from service.api.http.pagination import TOTAL, Pages
from service.api.http.request import TIME_ZONE, ReadRequest
from service.api.http.responses import Answers, Variant, save_as
from service.api.http.run_answers import RunAnswers, anew_if_gone
from service.api.openapi.blueprints import Blueprint, documented
from service.api.resources.events.ids import EVENT_ID, EventIds
from service.api.resources.metric_resource import to_json
from service.api.resources.metric_resource.arrangements import Arrangements
from service.api.resources.metric_resource.formats import FORMATS, Selection
from service.api.resources.metric_resource.query import SelectionParameters, SelectionQuery
from service.api.resources.metric_resource.schemas import (
    CustomInfoParameters,
    CustomInfoQuery,
    MetricResourceSchema,
    NamedParameters,
    NamedQuery,
    RunCustomInfoSchema,
    RunTagsSchema,
)
from service.domain.access import Scope
from service.domain.runtime import RequestContext
from service.reads.queries import Queries


def blueprint(
    queries: Queries,
    answers: Answers,
    arrangements: Arrangements,
    paging: Pages,
    blueprints: Callable[[str, str], Blueprint],
    *,
    long_poll: LongPoll,
) -> Blueprint:
    """Routes ``/runs/{runId}/metric-resource``, ``/tags`` and ``/custom-info``."""
    routes = blueprints("Metric resource", "Everything that was tracked for one run.")
    answer = RunAnswers(queries, answers).answer
    event_ids = EventIds()

    @routes.route("/runs/<string:run_id>/metric-resource")
    @routes.arguments(SelectionQuery, location="query", formats=FORMATS)
    @documented(
        "getMetricResource",
        MetricResourceSchema,
        "Read a run's metric resource",
        query=SelectionQuery,
        zoned=True,
        formats=FORMATS,
        paged=True,
        more=("Content-Disposition", TOTAL, EVENT_ID, "Preference-Applied"),
        awaited=True,
    )
    @requires(Scope.METRICS_READ)
    def metric_resource(read_request: ReadRequest[SelectionParameters], run_id: str) -> Response:
        """Metrics, tags and custom info of a run, complete and in the runtime's order.

        Numbers are the runtime's, digit for digit; what JSON cannot hold is the string `"NaN"`, `"Infinity"` or
        `"-Infinity"`. A run without metrics has empty lists. Where filters or pages leave points out, `page.total`
        says how many match; CSV and NDJSON have that in the header `X-Total-Count`.
        """
        page, snapshot = paging.asked(read_request)
        selection = Selection(read_request, page)

        def respond(context: RequestContext) -> Response:
            run = queries.metric_resource(run_id, context, snapshot)
            told_apart = read_request.format != JSON and not selection.is_whole
            total = selection.total(run, arrangements) if read_request.query.is_paged or told_apart else 0
            following = paging.next(read_request, page, run.snapshot, total) if read_request.query.is_paged else None
            weight, length = selection.extent(run, arrangements, total)
            response = answers.answer(
                Variant(
                    (run.key, run.digest.hex()),
                    (*selection.form, str(following)),
                    read_request.format,
                    (TIME_ZONE,),
                    (run.key, run.digest),
                    weight=weight,
                    length=length,
                ),
                run.provenance,
                lambda: selection.written(run, arrangements, following),
            )
            pagination.link(response, following)
            response.headers[EVENT_ID] = event_ids.of(run)
            if told_apart:  # what JSON has in ``page.total``
                response.headers[TOTAL] = str(total)
            return response

        response = long_poll.answer(partial(anew_if_gone, respond), read_request.context)
        save_as(response, f"{run_id}-metrics", read_request.format)
        return response

    @routes.route("/runs/<string:run_id>/tags")
    @routes.arguments(NamedQuery, location="query")
    @documented("getTags", RunTagsSchema, "Read a run's tags", query=NamedQuery)
    @requires(Scope.METRICS_READ)
    def tags(read_request: ReadRequest[NamedParameters], run_id: str) -> Response:
        """The tags of a run."""
        search = read_request.query.search
        return answer(read_request, run_id, ("tags", search), lambda found: to_json.tags(found, search), points=False)

    @routes.route("/runs/<string:run_id>/custom-info")
    @routes.arguments(CustomInfoQuery, location="query")
    @documented("getCustomInfo", RunCustomInfoSchema, "Read a run's custom info", query=CustomInfoQuery)
    @requires(Scope.METRICS_READ)
    def custom_info(read_request: ReadRequest[CustomInfoParameters], run_id: str) -> Response:
        """The custom info of a run, as it was logged."""
        parse, search = read_request.query.parse, read_request.query.search
        return answer(
            read_request,
            run_id,
            ("custom-info", str(parse), search),
            lambda found: to_json.custom_info(found, search, parse=parse),
            points=False,
        )

    return routes
