"""Charts of a run's metrics."""

from __future__ import annotations

from collections.abc import Callable, Collection

import msgspec
from flask import Response

from service.api.http.formats import PNG, SVG, VEGA_LITE, Format
from service.api.http.guards import requires
from service.api.http.request import TIME_ZONE, ReadRequest
from service.api.http.responses import Answers, Drawn
from service.api.openapi.blueprints import Blueprint, documented
from service.api.resources.metric_resource.formats import RunAnswers
from service.api.resources.series.schemas import ChartParameters, ChartQuery, ChartSchema
from service.charts.model import ChartType
from service.charts.progress import Against, chart, points_for, room_for
from service.charts.rendering import Renderer
from service.domain.access import Scope
from service.domain.metrics import MetricResource
from service.reads.queries import Queries

NO_PICTURES = "SVG and PNG need the extra 'charts' of this service, which is not installed here"
PICTURES = (SVG, PNG)


def blueprint(
    queries: Queries, answers: Answers, renderer: Renderer, blueprints: Callable[[str, str], Blueprint]
) -> Blueprint:
    """Route ``/runs/{runId}/metric-resource/chart``."""
    routes = blueprints("Charts", "Pictures of metrics, and their specifications.")
    answer = RunAnswers(queries, answers).answer
    pictures = pictures_of(renderer)

    @routes.route("/runs/<string:run_id>/metric-resource/chart")
    @routes.arguments(
        ChartQuery, location="query", formats=(VEGA_LITE, *pictures), missing="" if pictures else NO_PICTURES
    )
    @documented(
        "getChart",
        ChartSchema,
        "Draw a run's metrics",
        query=ChartQuery,
        zoned=True,
        formats=(VEGA_LITE, *PICTURES),
    )
    @requires(Scope.METRICS_READ)
    def metric_chart(ask: ReadRequest[ChartParameters], run_id: str) -> Response:
        """A chart of the run's metrics, one panel for each and one colour for each label set.

        It comes as a Vega-Lite specification, or drawn as SVG or PNG. Charts show samples of long series and say so;
        times are by the caller's clock, whatever the viewer's.
        """
        names, against, kind = ask.query.name, Against(ask.query.x), ChartType(ask.query.type)

        def make(run: MetricResource) -> tuple[bytes]:
            from service.domain.series import progress  # noqa: PLC0415 - brings numpy

            series = progress.series(run.metrics, points_for(kind), names, room_for(against))
            return (chart(run.run_id, series, against, kind, ask.zone, asked=names),)

        form = ("chart", ask.zone.name, against, kind, _said(names))
        return answer(ask, run_id, form, make, TIME_ZONE, drawn=drawn(renderer, ask.format))

    return routes


def drawn(renderer: Renderer, chosen: Format) -> Drawn | None:
    """How a picture is drawn; ``None`` for the specification itself."""
    if chosen == VEGA_LITE:
        return None
    return Drawn(VEGA_LITE, lambda specification: renderer.render(specification, chosen.media_type))


def pictures_of(renderer: Renderer) -> tuple[Format, ...]:
    """The formats of pictures that can be had here."""
    return tuple(picture for picture in PICTURES if picture.media_type in renderer.media_types)


def _said(names: Collection[str]) -> str:
    return msgspec.json.encode(sorted(set(names))).decode()
