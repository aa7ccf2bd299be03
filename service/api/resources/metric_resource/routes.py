"""The routes of a run's metric resource and its parts."""

from __future__ import annotations

from collections.abc import Callable

from flask import Response

from service.api.http.guards import requires
from service.api.http.long_poll import LongPoll
from service.api.http.pagination import Pages
from service.api.http.request import ReadRequest
from service.api.http.responses import TOTAL, Answers
from service.api.http.run_answers import RunAnswers
from service.api.openapi.blueprints import Blueprint, documented
from service.api.resources.events.event_ids import EVENT_ID
from service.api.resources.metric_resource import to_json
from service.api.resources.metric_resource.answers import MetricResources
from service.api.resources.metric_resource.formats import FORMATS
from service.api.resources.metric_resource.query import (
    CustomInfoParameters,
    CustomInfoQuery,
    NamedParameters,
    NamedQuery,
    SelectionParameters,
    SelectionQuery,
)
from service.api.resources.metric_resource.schemas import MetricResourceSchema, RunCustomInfoSchema, RunTagsSchema
from service.api.resources.metric_resource.selected_points import SelectedPoints
from service.domain.access import Scope
from service.reads.queries import Queries


def blueprint(
    queries: Queries,
    answers: Answers,
    selected_points: SelectedPoints,
    paging: Pages,
    blueprints: Callable[[str, str], Blueprint],
    *,
    long_poll: LongPoll,
) -> Blueprint:
    """Routes ``/runs/{runId}/metric-resource``, ``/tags`` and ``/custom-info``."""
    routes = blueprints("Metric resource", "Everything that was logged to a run.")
    answer = RunAnswers(queries, answers).answer
    whole = MetricResources(queries, answers, selected_points, paging, long_poll)

    @routes.route("/runs/<string:run_id>/metric-resource")
    @routes.arguments(SelectionQuery, formats=FORMATS)
    @documented(
        "getMetricResource",
        MetricResourceSchema,
        "Read a run's metric resource",
        zoned=True,
        paged=True,
        more=("Content-Disposition", TOTAL, EVENT_ID, "Preference-Applied"),
        awaited=True,
    )
    @requires(Scope.METRICS_READ)
    def metric_resource(read_request: ReadRequest[SelectionParameters], run_id: str) -> Response:
        """Metrics, tags and custom info of a run, complete and in the runtime's order.

        Numbers are the runtime's, digit for digit; NaN and the infinities are the strings `"NaN"`, `"Infinity"` or
        `"-Infinity"`. A run without metrics has empty lists. Where filters or pages leave points out, `page.total`
        is the number that match; CSV and NDJSON have that in the header `X-Total-Count`.
        """
        return whole.answer(read_request, run_id)

    @routes.route("/runs/<string:run_id>/tags")
    @routes.arguments(NamedQuery)
    @documented("getTags", RunTagsSchema, "Read a run's tags")
    @requires(Scope.METRICS_READ)
    def tags(read_request: ReadRequest[NamedParameters], run_id: str) -> Response:
        """The tags of a run."""
        search = read_request.query.search
        return answer(read_request, run_id, ("tags", search), lambda found: to_json.tags(found, search), points=False)

    @routes.route("/runs/<string:run_id>/custom-info")
    @routes.arguments(CustomInfoQuery)
    @documented("getCustomInfo", RunCustomInfoSchema, "Read a run's custom info")
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
