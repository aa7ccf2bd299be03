"""The routes of the list of runs and of a run's details."""

from __future__ import annotations

from collections.abc import Callable

from flask import Response

from service.api.http.guards import requires
from service.api.http.long_poll import LongPoll
from service.api.http.pagination import Pages
from service.api.http.parameters import Parameters
from service.api.http.request import ReadRequest
from service.api.http.responses import MISSING, TOTAL, Answers
from service.api.openapi.blueprints import Blueprint, documented
from service.api.openapi.schemas import Query
from service.api.resources.runs.details import Details
from service.api.resources.runs.formats import FORMATS
from service.api.resources.runs.lists import RunLists
from service.api.resources.runs.query import RunsParameters, RunsQuery, scopes_by_query
from service.api.resources.runs.schemas import RunDetailsSchema, RunListSchema
from service.api.resources.runs.selected_runs import SelectedRuns
from service.domain.access import Scope
from service.reads.queries import Queries


def blueprint(
    queries: Queries,
    answers: Answers,
    rows: SelectedRuns,
    paging: Pages,
    blueprints: Callable[[str, str], Blueprint],
    *,
    long_poll: LongPoll,
) -> Blueprint:
    """Routes ``/runs`` and ``/runs/{runId}``."""
    routes = blueprints(
        "Runs",
        "Training processes, *executions* in the AI API and in ML Operations: their status, configuration, "
        "inputs and outputs. A run template is an *executable* there.",
    )
    listed, details = RunLists(queries, answers, rows, paging), Details(queries, answers, long_poll)

    @routes.route("/runs")
    @routes.arguments(RunsQuery, formats=FORMATS)
    @documented(
        "listRuns",
        RunListSchema,
        "List runs",
        zoned=True,
        run=False,
        paged=True,
        more=("Content-Disposition", TOTAL, MISSING),
    )
    @requires(Scope.EXECUTIONS_READ, also=scopes_by_query)
    def runs(read_request: ReadRequest[RunsParameters]) -> Response:
        """The runs of the resource group, newest first or sorted; all of them, or in pages of one snapshot.

        With `metric`, each run has aggregates of its metrics; `sort=metric:Loss:min` puts the best run first. CSV has a
        column for each member of a run in JSON, and for each metric; `X-Total-Count` is the number of matching runs,
        and `X-Missing-Runs` names those whose metrics cannot be read.
        """
        return listed.answer(read_request)

    @routes.route("/runs/<string:run_id>")
    @routes.arguments(Query)
    @documented("getRun", RunDetailsSchema, "Read a run", zoned=True, more=("Preference-Applied",), awaited=True)
    @requires(Scope.EXECUTIONS_READ)
    def run(read_request: ReadRequest[Parameters], run_id: str) -> Response:
        """A run with its parameters, artifacts, scenario and executable, and links to its metric resource and log.

        A part that cannot be read is `null` and named in `unavailable`.
        """

        return details.answer(read_request, run_id)

    return routes
