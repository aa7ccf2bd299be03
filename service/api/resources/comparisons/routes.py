"""Runs side by side."""

from __future__ import annotations

from collections.abc import Callable

from flask import Response

from service.api.http.formats import VEGA_LITE
from service.api.http.guards import requires
from service.api.http.request import ReadRequest
from service.api.http.responses import MISSING, Answers
from service.api.openapi.blueprints import Blueprint, documented
from service.api.resources.charts.pictures import NO_PICTURES, PICTURES, pictures_of
from service.api.resources.charts.schemas import ChartSchema
from service.api.resources.comparisons.answers import Comparisons
from service.api.resources.comparisons.formats import FORMATS
from service.api.resources.comparisons.query import (
    ComparisonChartParameters,
    ComparisonChartQuery,
    ComparisonParameters,
    ComparisonQuery,
)
from service.api.resources.comparisons.schemas import ComparisonSchema
from service.charts.rendering import Renderer
from service.domain.access import Scope
from service.reads.queries import Queries


def blueprint(
    queries: Queries, answers: Answers, renderer: Renderer, blueprints: Callable[[str, str], Blueprint]
) -> Blueprint:
    """Routes ``/comparisons`` and ``/comparisons/chart``."""
    routes = blueprints("Comparisons", "Up to five runs side by side.")
    pictures = pictures_of(renderer)
    compared = Comparisons(queries, answers, renderer)

    @routes.route("/comparisons")
    @routes.arguments(ComparisonQuery, formats=FORMATS)
    @documented(
        "compareRuns",
        ComparisonSchema,
        "Compare runs",
        zoned=True,
        run=False,
        more=("Content-Disposition", MISSING),
    )
    @requires(Scope.METRICS_READ, Scope.EXECUTIONS_READ)
    def compare(read_request: ReadRequest[ComparisonParameters]) -> Response:
        """Two to five runs: their parameters and metrics side by side, aligned by name and label set.

        A run that cannot be read is listed with its problem in `missing`. CSV has a column for each run, and a row for
        each fact about a run, each parameter, and each aggregate of a metric (`section`, `name`, `labels`,
        `aggregate`); the header `X-Missing-Runs` names the runs that cannot be read.
        """
        return compared.answer(read_request)

    @routes.route("/comparisons/chart")
    @routes.arguments(ComparisonChartQuery, formats=(VEGA_LITE, *pictures), missing="" if pictures else NO_PICTURES)
    @documented(
        "getComparisonChart",
        ChartSchema,
        "Draw metrics of several runs",
        zoned=True,
        run=False,
        formats=(VEGA_LITE, *PICTURES),
        more=(MISSING,),
    )
    @requires(Scope.METRICS_READ, Scope.EXECUTIONS_READ)
    def comparison_chart(read_request: ReadRequest[ComparisonChartParameters]) -> Response:
        """Up to four metrics of two to five runs: their progress in each run, or their last values.

        Runs have colours, label sets dashes. Runs are named by the differences of their configurations and parameters,
        and by their ids.
        """
        return compared.chart(read_request)

    return routes
