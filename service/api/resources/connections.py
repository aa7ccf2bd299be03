"""The list of connections."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b

import msgspec
from flask import Response
from marshmallow import Schema, fields, validate

from service.api.http.guards import requires
from service.api.http.parameters import Parameters
from service.api.http.request import ReadRequest
from service.api.http.responses import Answers, Representation
from service.api.openapi.blueprints import Blueprint, documented
from service.api.openapi.schemas import Query
from service.domain.connections import Connection, Connections
from service.domain.freshness import Provenance, Source
from service.domain.runtime import RuntimeKind

_LIFETIME = 60.0
"""Seconds for which the list is fresh; it changes only with a restart."""
_STATIC = Provenance(Source.STORED, age=0.0, ttl=_LIFETIME, lifetime=_LIFETIME)


class ConnectionItem(Schema):
    """A connection to a runtime."""

    name = fields.String(required=True, metadata={"example": "default"})
    kind = fields.String(required=True, validate=validate.OneOf([kind.value for kind in RuntimeKind]))
    description = fields.String(required=True)
    default = fields.Boolean(
        required=True, metadata={"description": "Whether requests that name none are answered from it."}
    )


class ConnectionListSchema(Schema):
    """The runtimes that the caller's tenant may use."""

    connections = fields.List(fields.Nested(ConnectionItem), required=True)


def blueprint(connections: Connections, answers: Answers, blueprints: Callable[[str, str], Blueprint]) -> Blueprint:
    """Route ``/connections``."""
    routes = blueprints(
        "Connections", "The AI runtimes that can be read; their names are the values of `AI-Connection`."
    )

    @routes.route("/connections")
    @routes.arguments(Query, grouped=False, connected=False)
    @documented("listConnections", ConnectionListSchema, "List the runtimes that can be read", run=False)
    @requires()
    def listed(read_request: ReadRequest[Parameters]) -> Response:
        """The runtimes that the caller's tenant may use. Any valid token suffices."""
        tenant = read_request.context.cache_scope.tenant
        found = [_written(one, connections.default) for one in connections if one.open_to(tenant)]
        text = msgspec.json.encode({"connections": found})
        return answers.answer(
            Representation(
                content=(blake2b(text, digest_size=20).hexdigest(),),
                form=("connections",),
                format=read_request.format,
                provenance=_STATIC,
                make=lambda: (text,),
            )
        )

    return routes


def _written(connection: Connection, default: Connection) -> dict[str, object]:
    return {
        "name": connection.name,
        "kind": connection.kind,
        "description": connection.description,
        "default": connection is default,
    }
