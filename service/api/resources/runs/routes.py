"""The runs of a resource group, and one of them with what surrounds it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from flask import Response

from service.api.http import pagination
from service.api.http.guards import requires
from service.api.http.pagination import Pages, is_paged
from service.api.http.relative_urls import relative
from service.api.http.request import TIME_ZONE, ReadRequest
from service.api.http.responses import Answers, Variant
from service.api.openapi.blueprints import Blueprint, documented
from service.api.openapi.schemas import Query
from service.api.resources.metric_resource.formats import anew_if_gone
from service.api.resources.runs import to_json
from service.api.resources.runs.schemas import RunDetailsSchema, RunListSchema, RunsQuery
from service.domain.access import Scope
from service.domain.runs import Run
from service.domain.runtime import RequestContext
from service.reads.queries import Queries


def blueprint(
    queries: Queries, answers: Answers, paging: Pages, blueprints: Callable[[str, str], Blueprint]
) -> Blueprint:
    """Routes ``/runs`` and ``/runs/{runId}``."""
    routes = blueprints("Runs", "Training processes: where they stand, what they were started with, what came of them.")

    @routes.route("/runs")
    @routes.arguments(RunsQuery, location="query")
    @documented("listRuns", RunListSchema, "List runs", query=RunsQuery, zoned=True, run=False, paged=True)
    @requires(Scope.EXECUTIONS_READ)
    def runs(ask: ReadRequest) -> Response:
        """The runs of the resource group, newest first; all of them, or in pages of one snapshot."""
        window, snapshot = paging.asked(ask)
        wanted = _wanted(ask.query)

        def respond(context: RequestContext) -> Response:
            read = queries.runs(context, snapshot)
            matching = [run for run in read.content().runs if wanted(run)]
            following = paging.next(ask, window, read.snapshot, len(matching))
            form = ("runs", ask.zone.name, json.dumps(ask.query, sort_keys=True), *window.form, str(following))
            response = answers.answer(
                Variant((read.key, read.digest.hex()), form, ask.format, (TIME_ZONE,)),
                read.provenance,
                lambda: to_json.run_list(
                    matching[window.position : window.end],
                    len(matching),
                    ask.zone,
                    paged=is_paged(ask),
                    following=following,
                ),
            )
            pagination.link(response, following)
            return response

        return anew_if_gone(respond, ask.context)

    @routes.route("/runs/<string:run_id>")
    @routes.arguments(Query, location="query")
    @documented("getRun", RunDetailsSchema, "Read a run", zoned=True)
    @requires(Scope.EXECUTIONS_READ)
    def run(ask: ReadRequest, run_id: str) -> Response:
        """A run with its parameters, artifacts, scenario and executable, and where its metric resource is.

        A part that cannot be read is `null` and named in `unavailable`; the rest is given.
        """

        def respond(context: RequestContext) -> Response:
            read = queries.run(run_id, context)
            available = queries.has_metrics(context)
            href = relative(f"/runs/{run_id}/metric-resource")
            form = ("run", ask.zone.name, str(available), href)
            return answers.answer(
                Variant((read.key, read.digest.hex()), form, ask.format, (TIME_ZONE,)),
                read.provenance,
                lambda: to_json.run_details(read.content(), ask.zone, available=available, href=href),
            )

        return anew_if_gone(respond, ask.context)

    return routes


_IDS: Mapping[str, Callable[[Run], bytes]] = {
    "scenarioId": lambda run: run.scenario_id,
    "executableId": lambda run: run.executable_id,
    "configurationId": lambda run: run.configuration_id,
}


def _wanted(query: Mapping[str, Any]) -> Callable[[Run], bool]:
    statuses = {word for text in query["status"] for word in text.split(",")}
    asked = {name: json.dumps(query[name]).encode() for name in _IDS if query[name] is not None}

    def wanted(run: Run) -> bool:
        return (not statuses or run.status in statuses) and all(_IDS[name](run) == id_ for name, id_ in asked.items())

    return wanted
