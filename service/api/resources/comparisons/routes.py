"""Runs side by side."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from flask import Response

from service.api.http import problems
from service.api.http.formats import VEGA_LITE
from service.api.http.guards import requires
from service.api.http.relative_urls import relative
from service.api.http.request import TIME_ZONE, ReadRequest
from service.api.http.responses import Answers, Drawn, Variant
from service.api.openapi.blueprints import Blueprint, documented
from service.api.resources.charts import NO_PICTURES, PICTURES, drawn, pictures_of
from service.api.resources.comparisons import to_json
from service.api.resources.comparisons.schemas import (
    ComparisonChartParameters,
    ComparisonChartQuery,
    ComparisonParameters,
    ComparisonQuery,
    ComparisonSchema,
    RunsComparedParameters,
)
from service.api.resources.metric_resource.formats import anew_if_gone
from service.api.resources.series.schemas import ChartSchema
from service.charts.model import ChartType
from service.charts.progress import points_for
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
        ask: ReadRequest[RunsComparedParameters], form: tuple[str, ...], make: Make, picture: Drawn | None = None
    ) -> Response:
        def respond(context: RequestContext) -> Response:
            read = queries.comparison(ask.query.run, context)
            missing: list[dict[str, Any]] = [
                {"runId": run_id, "problem": problems.part(error, relative(f"/runs/{run_id}/metric-resource"))}
                for run_id, error in read.missing.items()
            ]
            told = json.dumps([(one["runId"], one["problem"]["type"], one["problem"]["instance"]) for one in missing])
            content = tuple(part for key, digest in read.entries for part in (key, digest.hex()))
            variant = Variant((*content, told), form, ask.format, (TIME_ZONE,), weight=read.size)
            return answers.answer(variant, read.provenance, lambda: make(read, missing), picture)

        return anew_if_gone(respond, ask.context)

    @routes.route("/comparisons")
    @routes.arguments(ComparisonQuery, location="query")
    @documented("compareRuns", ComparisonSchema, "Compare runs", query=ComparisonQuery, zoned=True, run=False)
    @requires(Scope.METRICS_READ, Scope.EXECUTIONS_READ)
    def compare(ask: ReadRequest[ComparisonParameters]) -> Response:
        """Two to five runs: their parameters and metrics side by side, aligned by name and label set.

        A run that cannot be read is listed with its problem in `missing`; the others stand.
        """
        query = ask.query

        def make(read: ReadComparison, missing: list[dict[str, Any]]) -> Iterable[bytes]:
            runs = read.summarized(query.name, query.label, query.metric)
            return to_json.compared(
                runs,
                missing,
                ask.zone,
                only_differing=query.differs,
                joined=query.metric,
                baseline=query.baseline,
            )

        selected = [query.differs, query.metric, query.baseline, query.name, query.label]
        form = ("comparison", ask.zone.name, json.dumps(selected))
        return answer(ask, form, make)

    @routes.route("/comparisons/chart")
    @routes.arguments(
        ComparisonChartQuery, location="query", formats=(VEGA_LITE, *pictures), missing="" if pictures else NO_PICTURES
    )
    @documented(
        "getComparisonChart",
        ChartSchema,
        "Draw a metric of several runs",
        query=ComparisonChartQuery,
        zoned=True,
        run=False,
        formats=(VEGA_LITE, *PICTURES),
    )
    @requires(Scope.METRICS_READ, Scope.EXECUTIONS_READ)
    def comparison_chart(ask: ReadRequest[ComparisonChartParameters]) -> Response:
        """One metric of two to five runs: how it progressed in each, or what it came to in the end."""
        metric, against, asked = ask.query.metric, ask.query.against, ask.query.type
        kind = None if asked is None else ChartType(asked)

        def make(read: ReadComparison, missing: list[dict[str, Any]]) -> Iterable[bytes]:
            from service.charts.comparison import Comparison, room_for  # noqa: PLC0415 - brings numpy

            runs = read.compared(points_for(kind), [metric], lambda: room_for(against))
            reasons = {one["runId"]: one["problem"]["title"] for one in missing}
            return (Comparison(runs, metric, against, ask.zone, read.metric_names, reasons).chart(kind),)

        form = ("comparison chart", ask.zone.name, json.dumps([metric, against, asked]))
        return answer(ask, form, make, drawn(renderer, ask.format))

    return routes
