"""The route of series."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from flask import Response

from service.api.http.guards import requires
from service.api.http.long_poll import LongPoll
from service.api.http.request import TIME_ZONE, ReadRequest
from service.api.http.responses import Answers
from service.api.http.run_answers import RunAnswers
from service.api.openapi.blueprints import Blueprint, documented
from service.api.resources.series.formats import FORMATS, RunSeries
from service.api.resources.series.query import SeriesParameters, SeriesQuery
from service.api.resources.series.schemas import ProgressSchema
from service.domain.access import Scope
from service.domain.metrics import MetricResource
from service.domain.selection.filters import selected
from service.domain.series import builder
from service.reads.queries import Queries


def blueprint(
    queries: Queries, answers: Answers, long_poll: LongPoll, blueprints: Callable[[str, str], Blueprint]
) -> Blueprint:
    """Route ``/runs/{runId}/metric-resource/series``."""
    routes = blueprints("Series", "How the metrics of a run progressed.")
    answer = RunAnswers(queries, answers, long_poll).answer

    @routes.route("/runs/<string:run_id>/metric-resource/series")
    @routes.arguments(SeriesQuery, formats=FORMATS)
    @documented(
        "getSeries",
        ProgressSchema,
        "Read how a run's metrics progressed",
        zoned=True,
        more=("Content-Disposition", "Preference-Applied"),
        awaited=True,
    )
    @requires(Scope.METRICS_READ)
    def series(read_request: ReadRequest[SeriesParameters], run_id: str) -> Response:
        """One series for each metric name and label set, with its first, last, least and greatest point and its mean.

        With `points`, a longer series is downsampled: the points kept are logged points, the extremes among them, and
        `downsampled` and `count` say what is left out. CSV and NDJSON have only the points, one a row or line as in the
        metric resource, series by series.
        """
        wanted, at_most = read_request.query.wanted, read_request.query.points

        def make(run: MetricResource) -> Iterable[bytes]:
            series = builder.series(selected(run.metrics, wanted), at_most)
            return FORMATS[read_request.format](RunSeries.of(run, series, read_request.zone))

        form = ("series", read_request.zone.name, str(at_most), repr(wanted))
        return answer(read_request, run_id, form, make, TIME_ZONE, file=f"{run_id}-series")

    return routes
