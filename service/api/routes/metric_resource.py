"""A run's metric resource, whole and in parts."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec
from flask import Response

from service.api import metric_csv, metric_lines, representations
from service.api.answers import Answers
from service.api.blueprints import Blueprint, documented
from service.api.guards import requires
from service.api.inputs import JSON, TIME_ZONE, Ask
from service.api.run_answers import RunAnswers
from service.api.schemas import CustomInfoQuery, CustomInfoSchema, MetricResourceSchema, Query, TagsSchema
from service.api.selection_query import SelectionQuery, filter_of
from service.domain.access import Scope
from service.domain.metrics import MetricResource
from service.domain.selection.filters import selected
from service.domain.selection.sorting import ordered
from service.queries import Queries


def blueprint(queries: Queries, answers: Answers, blueprints: Callable[[str, str], Blueprint]) -> Blueprint:
    """Routes ``/runs/{runId}/metric-resource``, ``/tags`` and ``/custom-info``."""
    routes = blueprints("Metric resource", "Everything that was tracked for one run.")
    answer = RunAnswers(queries, answers).answer

    @routes.route("/runs/<string:run_id>/metric-resource")
    @routes.arguments(SelectionQuery, location="query", offers=(JSON, "text/csv", metric_lines.MEDIA_TYPE))
    @documented(
        "getMetricResource",
        MetricResourceSchema,
        "Read a run's metric resource",
        query=SelectionQuery,
        zoned=True,
        others={"text/csv": {"type": "string"}, metric_lines.MEDIA_TYPE: {"type": "string"}},
    )
    @requires(Scope.METRICS_READ)
    def metric_resource(ask: Ask, run_id: str) -> Response:
        """Metrics, tags and custom info of a run, complete and in the runtime's order.

        Numbers are the runtime's, digit for digit; what JSON cannot hold is the string `"NaN"`, `"Infinity"` or
        `"-Infinity"`. A run without metrics has empty lists.
        """
        wanted, sort = filter_of(ask.query), ask.query["sort"]
        form = ("metric-resource", ask.zone.name, repr(wanted), repr(sort))

        def make(run: MetricResource) -> Iterable[bytes]:
            chunks = tuple(ordered(selected(run.metrics, wanted), sort))
            if ask.media_type == "text/csv":
                return metric_csv.rows(chunks, representations.clock(ask.zone))
            if ask.media_type == metric_lines.MEDIA_TYPE:
                return metric_lines.lines(chunks, representations.clock(ask.zone))
            if wanted.is_empty:
                return representations.metric_resource(msgspec.structs.replace(run, metrics=chunks), ask.zone)
            return representations.selection(run, chunks, ask.zone)

        response = answer(ask, run_id, form, make, TIME_ZONE)
        if ask.media_type == "text/csv":
            response.headers["Content-Disposition"] = f'attachment; filename="{run_id}-metrics.csv"'
            if response.status_code == 200:
                response.headers["Content-Type"] = metric_csv.MEDIA_TYPE
        return response

    @routes.route("/runs/<string:run_id>/tags")
    @routes.arguments(Query, location="query")
    @documented("getTags", TagsSchema, "Read a run's tags")
    @requires(Scope.METRICS_READ)
    def tags(ask: Ask, run_id: str) -> Response:
        """The tags of a run."""
        return answer(ask, run_id, ("tags",), representations.tags)

    @routes.route("/runs/<string:run_id>/custom-info")
    @routes.arguments(CustomInfoQuery, location="query")
    @documented("getCustomInfo", CustomInfoSchema, "Read a run's custom info", query=CustomInfoQuery)
    @requires(Scope.METRICS_READ)
    def custom_info(ask: Ask, run_id: str) -> Response:
        """The custom info of a run, as it was logged."""
        parse = ask.query["parse"] == "true"
        make = representations.parsed_custom_info if parse else representations.custom_info
        return answer(ask, run_id, ("custom-info", str(parse)), make)

    return routes
