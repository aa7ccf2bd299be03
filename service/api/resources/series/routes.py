"""How a run's metrics progressed."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from flask import Response

from service.api.http.guards import requires
from service.api.http.request import TIME_ZONE, ReadRequest
from service.api.http.responses import Answers
from service.api.openapi.blueprints import Blueprint, documented
from service.api.resources.metric_resource.formats import RunAnswers
from service.api.resources.series import to_json
from service.api.resources.series.schemas import ProgressSchema, SeriesParameters, SeriesQuery
from service.domain.access import Scope
from service.domain.metrics import MetricResource
from service.domain.selection.filters import selected
from service.reads.queries import Queries


def blueprint(queries: Queries, answers: Answers, blueprints: Callable[[str, str], Blueprint]) -> Blueprint:
    """Route ``/runs/{runId}/metric-resource/series``."""
    routes = blueprints("Series", "How the metrics of a run progressed.")
    answer = RunAnswers(queries, answers).answer

    @routes.route("/runs/<string:run_id>/metric-resource/series")
    @routes.arguments(SeriesQuery, location="query")
    @documented("getSeries", ProgressSchema, "Read how a run's metrics progressed", query=SeriesQuery, zoned=True)
    @requires(Scope.METRICS_READ)
    def series(ask: ReadRequest[SeriesParameters], run_id: str) -> Response:
        """One series for each metric name and label set, with its first, last, least and greatest point and its mean.

        With `points`, a series that has more is downsampled: the points given are points that were logged, the
        extremes among them, and `downsampled` and `count` say what is left out.
        """
        wanted, at_most = ask.query.wanted, ask.query.points

        def make(run: MetricResource) -> Iterator[bytes]:
            from service.domain.series import progress  # noqa: PLC0415 - brings numpy

            series = progress.series(selected(run.metrics, wanted), at_most)
            return to_json.progress(run.run_id, series, ask.zone, run.unreadable)

        return answer(ask, run_id, ("series", ask.zone.name, str(at_most), repr(wanted)), make, TIME_ZONE)

    return routes
