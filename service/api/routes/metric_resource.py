"""A run's metric resource, whole and in parts."""

from __future__ import annotations

from collections.abc import Callable

from flask import Response

from service.api import representations
from service.api.answers import Answers
from service.api.blueprints import Blueprint, documented
from service.api.guards import requires
from service.api.inputs import TIME_ZONE, Ask
from service.api.run_answers import RunAnswers
from service.api.schemas import CustomInfoSchema, MetricResourceSchema, Query, TagsSchema
from service.domain.access import Scope
from service.queries import Queries


def blueprint(queries: Queries, answers: Answers, blueprints: Callable[[str, str], Blueprint]) -> Blueprint:
    """Routes ``/runs/{runId}/metric-resource``, ``/tags`` and ``/custom-info``."""
    routes = blueprints("Metric resource", "Everything that was tracked for one run.")
    answer = RunAnswers(queries, answers).answer

    @routes.route("/runs/<string:run_id>/metric-resource")
    @routes.arguments(Query, location="query")
    @documented("getMetricResource", MetricResourceSchema, "Read a run's metric resource", zoned=True)
    @requires(Scope.METRICS_READ)
    def metric_resource(ask: Ask, run_id: str) -> Response:
        """Metrics, tags and custom info of a run, complete and in the runtime's order.

        Numbers are the runtime's, digit for digit; what JSON cannot hold is the string `"NaN"`, `"Infinity"` or
        `"-Infinity"`. A run without metrics has empty lists.
        """
        form = ("metric-resource", ask.zone.name)
        return answer(ask, run_id, form, lambda run: representations.metric_resource(run, ask.zone), TIME_ZONE)

    @routes.route("/runs/<string:run_id>/tags")
    @routes.arguments(Query, location="query")
    @documented("getTags", TagsSchema, "Read a run's tags")
    @requires(Scope.METRICS_READ)
    def tags(ask: Ask, run_id: str) -> Response:
        """The tags of a run."""
        return answer(ask, run_id, ("tags",), representations.tags)

    @routes.route("/runs/<string:run_id>/custom-info")
    @routes.arguments(Query, location="query")
    @documented("getCustomInfo", CustomInfoSchema, "Read a run's custom info")
    @requires(Scope.METRICS_READ)
    def custom_info(ask: Ask, run_id: str) -> Response:
        """The custom info of a run, as it was logged."""
        return answer(ask, run_id, ("custom-info",), representations.custom_info)

    return routes
