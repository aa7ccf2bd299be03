"""Answers with a run and its related objects."""

from __future__ import annotations

from functools import partial
from urllib.parse import urlencode

import msgspec
from flask import Response

from service.api.http.long_poll import LongPoll
from service.api.http.parameters import Parameters
from service.api.http.relative_urls import relative
from service.api.http.request import TIME_ZONE, ReadRequest
from service.api.http.responses import Answers, Representation
from service.api.resources.runs import to_json
from service.api.resources.runs.to_json import Link
from service.domain.runtime import RequestContext
from service.reads.queries import Queries


class Details(msgspec.Struct, frozen=True):
    """Answers requests for one run."""

    queries: Queries
    answers: Answers
    long_poll: LongPoll

    def answer(self, read_request: ReadRequest[Parameters], run_id: str) -> Response:
        return self.answers.read(partial(self._represent, read_request, run_id), read_request.context, self.long_poll)

    def _represent(self, read_request: ReadRequest[Parameters], run_id: str, context: RequestContext) -> Representation:
        read = self.queries.run(run_id, context)
        can = self.queries.capabilities.if_known(context)
        connection = read_request.query.connection
        query = "" if connection is None else "?" + urlencode({"connection": connection})
        metric_resource = Link(
            None if can is None else can.metrics, relative(f"/runs/{run_id}/metric-resource") + query
        )
        logs = Link(None if can is None else can.logs, relative(f"/runs/{run_id}/logs") + query)
        return Representation(
            content=(read.key, read.digest.hex()),
            form=("run", read_request.zone.name, repr(metric_resource), repr(logs)),
            format=read_request.format,
            provenance=read.provenance,
            make=lambda: to_json.run_details(read.content(), read_request.zone, metric_resource, logs),
            varies=(TIME_ZONE,),
        )
