"""Runs side by side."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from flask import Response

from service.api import comparison_representation, problems
from service.api.answers import Answers, Drawn, Variant
from service.api.blueprints import Blueprint, documented
from service.api.comparison_schemas import ComparisonChartQuery, ComparisonQuery, ComparisonSchema
from service.api.guards import requires
from service.api.inputs import TIME_ZONE, Ask
from service.api.routes.charts import NO_PICTURES, PICTURES, VEGA_LITE, drawn
from service.api.run_answers import anew_if_gone
from service.api.series_schemas import ChartSchema
from service.charts.model import ChartType
from service.charts.progress import points_for
from service.charts.rendering import Renderer
from service.domain.access import Scope
from service.queries import Queries
from service.runtimes.read_through import Demand

if TYPE_CHECKING:
    from service.domain.comparison import Compared

Make = Callable[[Sequence["Compared"], list[dict[str, Any]]], Iterable[bytes]]


def blueprint(
    queries: Queries, answers: Answers, renderer: Renderer, blueprints: Callable[[str, str], Blueprint]
) -> Blueprint:
    """Routes ``/comparisons`` and ``/comparisons/chart``."""
    routes = blueprints("Comparisons", "Up to five runs side by side.")
    pictures = renderer.media_types

    def answer(ask: Ask, form: tuple[str, ...], at_most: int, make: Make, picture: Drawn | None = None) -> Response:
        def respond(demand: Demand) -> Response:
            read = queries.comparison(ask.query["run"], ask.vantage, ask.exchange, demand)
            missing = [
                {"runId": run_id, "problem": problems.part(error, f"/runs/{run_id}/metric-resource")}
                for run_id, error in read.missing.items()
            ]
            told = json.dumps([(run_id, problems.problem_of(error).slug) for run_id, error in read.missing.items()])
            content = tuple(part for key, digest in read.entries for part in (key, digest.hex()))
            variant = Variant((*content, told), form, ask.media_type, (TIME_ZONE,), weight=read.size)
            return answers.answer(variant, read.provenance, lambda: make(read.compared(at_most), missing), picture)

        return anew_if_gone(respond, ask.demand)

    @routes.route("/comparisons")
    @routes.arguments(ComparisonQuery, location="query")
    @documented("compareRuns", ComparisonSchema, "Compare runs", query=ComparisonQuery, zoned=True, run=False)
    @requires(Scope.METRICS_READ, Scope.EXECUTIONS_READ)
    def compare(ask: Ask) -> Response:
        """Two to five runs: their parameters and metrics side by side, aligned by name and label set.

        A run that cannot be read is listed with its problem in `missing`; the others stand.
        """
        align, metric, differs = ask.query["align"], ask.query["metric"], ask.query["differs"]

        def make(runs: Sequence[Compared], missing: list[dict[str, Any]]) -> Iterable[bytes]:
            return comparison_representation.compared(
                runs, missing, ask.zone, only_differing=differs, joined=metric if align else None
            )

        form = ("comparison", ask.zone.name, str(differs), json.dumps([align, metric]))
        return answer(ask, form, _WHOLE if align else 2, make)

    @routes.route("/comparisons/chart")
    @routes.arguments(
        ComparisonChartQuery, location="query", offers=(VEGA_LITE, *pictures), missing="" if pictures else NO_PICTURES
    )
    @documented(
        "getComparisonChart",
        ChartSchema,
        "Draw a metric of several runs",
        query=ComparisonChartQuery,
        zoned=True,
        run=False,
        media_type=VEGA_LITE,
        others=PICTURES,
    )
    @requires(Scope.METRICS_READ, Scope.EXECUTIONS_READ)
    def comparison_chart(ask: Ask) -> Response:
        """One metric of two to five runs: how it progressed in each, or what it came to in the end."""
        metric, against, asked = ask.query["metric"], ask.query["against"], ask.query["type"]

        def make(runs: Sequence[Compared], missing: list[dict[str, Any]]) -> Iterable[bytes]:
            from service.charts.comparison import Comparison  # noqa: PLC0415 - brings numpy

            reasons = {one["runId"]: one["problem"]["title"] for one in missing}
            drawing = Comparison(runs, metric, against, ask.zone, reasons)
            return (drawing.chart(None if asked is None else ChartType(asked)),)

        form = ("comparison chart", ask.zone.name, json.dumps([metric, against, asked]))
        at_most = points_for(None if asked is None else ChartType(asked))
        return answer(ask, form, at_most, make, drawn(renderer, ask.media_type))

    return routes


_WHOLE = 0
"""Points of a series that are needed: all."""
