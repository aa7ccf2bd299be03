"""Runs side by side."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from flask import Response

from service.api.http import problems
from service.api.http.formats import JSON, VEGA_LITE
from service.api.http.guards import requires
from service.api.http.request import TIME_ZONE, ReadRequest
from service.api.http.responses import MISSING, Answers, Drawn, Variant, save_as
from service.api.http.run_answers import anew_if_gone
from service.api.openapi.blueprints import Blueprint, documented
from service.api.resources.charts import NO_PICTURES, PICTURES, drawn, pictures_of
from service.api.resources.comparisons.formats import FORMATS
from service.api.resources.comparisons.schemas import (
    ComparisonChartParameters,
    ComparisonChartQuery,
    ComparisonParameters,
    ComparisonQuery,
    ComparisonSchema,
    RunsComparedParameters,
)
from service.api.resources.comparisons.to_json import Comparison
from service.api.resources.series.schemas import ChartSchema
from service.charts.panels import ChartType, ValueScale
from service.charts.progress import Against, points_for
from service.charts.rendering import Renderer
from service.domain.access import Scope
from service.domain.runtime import RequestContext
from service.reads.comparison import ReadComparison
from service.reads.queries import Queries

Make = Callable[[ReadComparison, list[dict[str, Any]]], Iterable[bytes]]


def blueprint(
    queries: Queries, answers: Answers, renderer: Renderer, blueprints: Callable[[str, str], Blueprint]
) -> Blueprint:
    """Routes ``/comparisons`` and ``/comparisons/chart``."""
    routes = blueprints("Comparisons", "Up to five runs side by side.")
    pictures = pictures_of(renderer)

    def answer(
        read_request: ReadRequest[RunsComparedParameters],
        form: tuple[str, ...],
        make: Make,
        picture: Drawn | None = None,
        *,
        points: bool = True,
    ) -> Response:
        def respond(context: RequestContext) -> Response:
            read = queries.comparison(read_request.query.run, context)
            missing = problems.missing_runs(read.missing)
            absent = json.dumps([(one["runId"], one["problem"]["type"], one["problem"]["instance"]) for one in missing])
            content = tuple(part for key, digest in read.entries for part in (key, digest.hex()))
            weight = read.size if points else read.size_summarized
            variant = Variant((*content, absent), form, read_request.format, (TIME_ZONE,), weight=weight)
            response = answers.answer(variant, read.provenance, lambda: make(read, missing), picture)
            if missing and read_request.format != JSON:
                response.headers[MISSING] = ", ".join(read.missing)
            return response

        return anew_if_gone(respond, read_request.context)

    @routes.route("/comparisons")
    @routes.arguments(ComparisonQuery, location="query", formats=FORMATS)
    @documented(
        "compareRuns",
        ComparisonSchema,
        "Compare runs",
        query=ComparisonQuery,
        zoned=True,
        run=False,
        formats=FORMATS,
        more=("Content-Disposition", MISSING),
    )
    @requires(Scope.METRICS_READ, Scope.EXECUTIONS_READ)
    def compare(read_request: ReadRequest[ComparisonParameters]) -> Response:
        """Two to five runs: their parameters and metrics side by side, aligned by name and label set.

        A run that cannot be read is listed with its problem in `missing`; the others stand. CSV has a column for each
        run, and a row for each of what is known of a run, parameter, and metric's aggregate (`section`, `name`,
        `labels`, `aggregate`); the header `X-Missing-Runs` names the runs that cannot be read.
        """
        query = read_request.query

        def make(read: ReadComparison, missing: list[dict[str, Any]]) -> Iterable[bytes]:
            runs = read.summarized(query.name, query.label, query.metric)
            return FORMATS[read_request.format](
                Comparison(
                    runs=runs,
                    missing=missing,
                    zone=read_request.zone,
                    only_differing=query.differs,
                    joined=query.metric,
                    baseline=query.baseline,
                )
            )

        selected = [query.differs, query.metric, query.baseline, query.name, query.label]
        form = ("comparison", read_request.zone.name, json.dumps(selected))
        response = answer(read_request, form, make, points=query.metric is not None)
        save_as(response, "comparison", read_request.format)
        return response

    @routes.route("/comparisons/chart")
    @routes.arguments(
        ComparisonChartQuery, location="query", formats=(VEGA_LITE, *pictures), missing="" if pictures else NO_PICTURES
    )
    @documented(
        "getComparisonChart",
        ChartSchema,
        "Draw metrics of several runs",
        query=ComparisonChartQuery,
        zoned=True,
        run=False,
        formats=(VEGA_LITE, *PICTURES),
        more=(MISSING,),
    )
    @requires(Scope.METRICS_READ, Scope.EXECUTIONS_READ)
    def comparison_chart(read_request: ReadRequest[ComparisonChartParameters]) -> Response:
        """Up to four metrics of two to five runs: how they progressed in each, or what they came to in the end.

        Runs have colours, label sets dashes. A run is named by what differs, its configuration and parameters, and by
        its id.
        """
        query, wanted, against = read_request.query, read_request.query.wanted, read_request.query.against
        kind = None if query.type is None else ChartType(query.type)
        metrics = [one for one in query.metric if one in wanted.names or not wanted.names]
        scale, smooth = ValueScale(query.scale), query.smooth
        others = replace(wanted, names=())

        def make(read: ReadComparison, missing: list[dict[str, Any]]) -> Iterable[bytes]:
            from service.charts import comparison  # noqa: PLC0415 - brings numpy

            projection = query.drawn(against).projection if against in {*Against} else None
            runs = read.compared(
                points_for(kind), metrics, lambda: comparison.room_for(against), wanted=others, projection=projection
            )
            reasons = {one["runId"]: one["problem"]["title"] for one in missing}
            compared = comparison.Comparison(
                runs, metrics, against, read_request.zone, read.metric_names, reasons, scale, smooth
            )
            return (compared.chart(kind),)

        form = ("comparison chart", read_request.zone.name, repr((metrics, others, against, kind, scale, smooth)))
        return answer(read_request, form, make, drawn(renderer, read_request.format))

    return routes
