"""The route of logs."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec
from flask import Response

from service.api.http.formats import JSON, TEXT, Writers
from service.api.http.guards import requires
from service.api.http.request import TIME_ZONE, ReadRequest
from service.api.http.responses import Answers, Representation
from service.api.openapi.blueprints import Blueprint, documented
from service.api.resources.logs import to_json, to_text
from service.api.resources.logs.query import LogsParameters, LogsQuery
from service.api.resources.logs.schemas import RunLogSchema
from service.domain.access import Scope
from service.domain.logs import RunLog
from service.domain.runtime import RequestContext
from service.domain.zones import TimeZone
from service.reads.queries import Queries


class ReadLog(msgspec.Struct, frozen=True):
    """A log, and its writers."""

    run_id: str
    log: RunLog
    zone: TimeZone

    def json(self) -> Iterator[bytes]:
        return to_json.run_log(self.run_id, self.log, self.zone)

    def text(self) -> Iterator[bytes]:
        return to_text.lines(self.log, self.zone)


FORMATS: Writers[ReadLog] = {JSON: ReadLog.json, TEXT: ReadLog.text}


def blueprint(queries: Queries, answers: Answers, blueprints: Callable[[str, str], Blueprint]) -> Blueprint:
    """Route ``/runs/{runId}/logs``."""
    routes = blueprints("Logs", "What runs (executions) wrote to their standard output and error.")

    @routes.route("/runs/<string:run_id>/logs")
    @routes.arguments(LogsQuery, formats=FORMATS)
    @documented(
        "getLogs",
        RunLogSchema,
        "Read a run's log",
        zoned=True,
        more=("Content-Disposition",),
    )
    @requires(Scope.LOGS_READ)
    def logs(read_request: ReadRequest[LogsParameters], run_id: str) -> Response:
        """The newest lines of a run's log since it started, or those that the query selects.

        `text/plain` has a line each, its timestamp in front; further lines of a message are indented, and control
        characters are written as escapes such as `\\x1b`. `warnings` (a last line `# …` in `text/plain`) say where the
        runtime has more lines than could be searched.
        """

        def represent(context: RequestContext) -> Representation:
            read = queries.logs(run_id, read_request.query.wanted, context)
            return Representation(
                content=(read.key, read.digest.hex()),
                form=("logs", read_request.zone.name),
                format=read_request.format,
                provenance=read.provenance,
                make=lambda: FORMATS[read_request.format](ReadLog(run_id, read.content(), read_request.zone)),
                varies=(TIME_ZONE,),
                weight=read.size,
                file=f"{run_id}-log",
            )

        return answers.read(represent, read_request.context)

    return routes
