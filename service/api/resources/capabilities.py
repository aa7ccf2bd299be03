"""What the runtime can do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
from flask import Response
from marshmallow import Schema, fields, validate

from service.api.http.guards import requires
from service.api.http.parameters import Parameters
from service.api.http.request import ReadRequest
from service.api.http.responses import Answers, Representation
from service.api.openapi.blueprints import Blueprint, documented
from service.api.openapi.schemas import Query
from service.domain.runtime import Capabilities, RequestContext, RuntimeKind
from service.reads.queries import Queries


class RuntimeSchema(Schema):
    """The AI runtime."""

    kind = fields.String(
        required=True,
        validate=validate.OneOf([kind.value for kind in RuntimeKind]),
        metadata={"description": "Its API: the AI API, or that of an MLflow server."},
    )
    identifier = fields.String(required=True, allow_none=True, metadata={"example": "aicore"})
    apiVersion = fields.String(required=True, allow_none=True, metadata={"example": "2.21.0"})


class MetricResourceCapability(Schema):
    """The runtime's metrics extension."""

    available = fields.Boolean(
        required=True, allow_none=True, metadata={"description": "`null` where the runtime does not say."}
    )
    version = fields.String(required=True, allow_none=True, metadata={"example": "1.0.0"})
    extendedResults = fields.Boolean(required=True)


class LogsCapability(Schema):
    """Whether the runtime has logs of its runs."""

    available = fields.Boolean(
        required=True, allow_none=True, metadata={"description": "`null` where the runtime does not say."}
    )


class CapabilitiesSchema(Schema):
    """What the runtime can do."""

    connection = fields.String(required=True, metadata={"description": "The runtime's name, as in `/connections`."})
    runtime = fields.Nested(RuntimeSchema, required=True)
    metricResource = fields.Nested(MetricResourceCapability, required=True)
    logs = fields.Nested(LogsCapability, required=True)


def blueprint(queries: Queries, answers: Answers, blueprints: Callable[[str, str], Blueprint]) -> Blueprint:
    """Route ``/capabilities``."""
    routes = blueprints("Capabilities", "What the AI runtime can do.")

    @routes.route("/capabilities")
    @routes.arguments(Query, grouped=False)
    @documented("getCapabilities", CapabilitiesSchema, "Read what the runtime can do", run=False)
    @requires()
    def capabilities(read_request: ReadRequest[Parameters]) -> Response:
        """Which runtime this is, and whether its runs have a metric resource and logs. Any valid token suffices."""
        connection, kind = read_request.context.cache_scope.connection, queries.capabilities.kind(read_request.context)

        def represent(context: RequestContext) -> Representation:
            read = queries.capabilities.read(context)
            return Representation(
                content=(read.key, read.digest.hex()),
                form=("capabilities", connection, kind),
                format=read_request.format,
                provenance=read.provenance,
                make=lambda: _written(connection, kind, read.content()),
            )

        return answers.read(represent, read_request.context)

    return routes


def _written(connection: str, kind: RuntimeKind, found: Capabilities) -> Iterator[bytes]:
    document: dict[str, Any] = {
        "connection": connection,
        "runtime": {"kind": kind, "identifier": found.identifier, "apiVersion": found.api_version},
        "metricResource": {
            "available": found.metrics,
            "version": found.metrics_version,
            "extendedResults": found.extended_results,
        },
        "logs": {"available": found.logs},
    }
    yield msgspec.json.encode(document)
