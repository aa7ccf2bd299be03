"""Charts of a run's metrics."""

from __future__ import annotations

from collections.abc import Callable

from flask import Response
from msgspec.structs import replace

from service.api.http.formats import VEGA_LITE
from service.api.http.guards import requires
from service.api.http.request import TIME_ZONE, ReadRequest
from service.api.http.responses import Answers, anew_if_gone
from service.api.http.run_answers import RunAnswers
from service.api.openapi.blueprints import Blueprint, documented
from service.api.resources.charts.pictures import NO_PICTURES, PICTURES, pictures_of, rendering_of
from service.api.resources.charts.query import ChartParameters, ChartQuery
from service.api.resources.charts.schemas import ChartSchema
from service.charts.panels import ChartType
from service.charts.rendering import Renderer
from service.charts.run_chart import Lacking, chart, room_for
from service.charts.x_axis import Against, points_for
from service.domain import points
from service.domain.access import Scope
from service.domain.metrics import MetricResource
from service.domain.selection.filters import selected
from service.domain.series import builder
from service.reads.queries import Queries


def blueprint(
    queries: Queries, answers: Answers, renderer: Renderer, blueprints: Callable[[str, str], Blueprint]
) -> Blueprint:
    """Route ``/runs/{runId}/metric-resource/chart``."""
    routes = blueprints("Charts", "Charts of metrics.")
    answer = RunAnswers(queries, answers).answer
    pictures = pictures_of(renderer)

    def start_of(run_id: str, read_request: ReadRequest[ChartParameters]) -> bytes:
        """The run's start time, as a JSON literal."""

        return anew_if_gone(lambda context: queries.run(run_id, context).content().run.start_time, read_request.context)

    @routes.route("/runs/<string:run_id>/metric-resource/chart")
    @routes.arguments(ChartQuery, formats=(VEGA_LITE, *pictures), missing="" if pictures else NO_PICTURES)
    @documented(
        "getChart",
        ChartSchema,
        "Draw a run's metrics",
        zoned=True,
        formats=(VEGA_LITE, *PICTURES),
    )
    @requires(Scope.METRICS_READ)
    def metric_chart(read_request: ReadRequest[ChartParameters], run_id: str) -> Response:
        """A chart of the run's metrics, one panel for each and one colour for each label set.

        It is a Vega-Lite specification, or rendered as SVG or PNG. Charts show samples of long series and say so;
        times are in the caller's time zone, whatever the viewer's.
        """
        query = read_request.query
        wanted, options, kind = query.wanted, query.options(query.x), ChartType(query.type)
        names, others = sorted(set(wanted.names)), replace(wanted, names=())
        start = start_of(run_id, read_request) if options.against is Against.ELAPSED else points.NULL

        def make(run: MetricResource) -> tuple[bytes]:
            chunks = selected(run.metrics, others)
            series = builder.series(chunks, points_for(kind), names, room_for(options.against), options.projection)
            lacking = Lacking(names, filtered=not others.is_empty)
            return (chart(run.run_id, series, options, kind, read_request.zone, lacking=lacking, start=start),)

        form = ("chart", read_request.zone.name, kind, repr((names, others, options, start)))
        replayed = options.against is not Against.ELAPSED
        return answer(
            read_request,
            run_id,
            form,
            make,
            TIME_ZONE,
            rendering=rendering_of(renderer, read_request.format),
            replayed=replayed,
        )

    return routes
