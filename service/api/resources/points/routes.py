"""The route of the points of many runs."""

from __future__ import annotations

from collections.abc import Callable

from flask import Response

from service.api.http.guards import requires
from service.api.http.pagination import Pages
from service.api.http.request import ReadRequest
from service.api.http.responses import MISSING, TOTAL, Answers
from service.api.openapi.blueprints import Blueprint, documented
from service.api.resources.metric_resource.selected_points import SelectedPoints
from service.api.resources.points.answers import PointTables
from service.api.resources.points.formats import FORMATS, NO_TABLES, WITHOUT_TABLES
from service.api.resources.points.query import PointsParameters, PointsQuery
from service.api.resources.points.schemas import PointTableSchema
from service.api.resources.points.to_table import is_installed
from service.domain.access import Scope
from service.reads.queries import Queries


def blueprint(
    queries: Queries,
    answers: Answers,
    selected_points: SelectedPoints,
    paging: Pages,
    blueprints: Callable[[str, str], Blueprint],
) -> Blueprint:
    """Route ``/points``."""
    routes = blueprints("Points", "The points of many runs, for data frames and spreadsheets.")
    table = PointTables(queries, answers, selected_points, paging)
    with_tables = is_installed()

    @routes.route("/points")
    @routes.arguments(
        PointsQuery,
        formats=FORMATS if with_tables else WITHOUT_TABLES,
        missing="" if with_tables else NO_TABLES,
    )
    @documented(
        "getPoints",
        PointTableSchema,
        "Read the points of many runs",
        zoned=True,
        run=False,
        paged=True,
        formats=FORMATS,
        more=("Content-Disposition", TOTAL, MISSING),
    )
    @requires(Scope.METRICS_READ)
    def points(read_request: ReadRequest[PointsParameters]) -> Response:
        """The points of up to 100 runs as one long table: run by run, in the runtime's order.

        It is streamed, so it may be of any length. Runs that cannot be read are in `missing`: the last line
        `{"missing": …}` of NDJSON, the header `X-Missing-Runs` of tables. CSV, Parquet and Arrow have a column for each
        label name. A column of a table is text where no type holds all of its numbers or timestamps exactly.
        """
        return table.answer(read_request)

    return routes
