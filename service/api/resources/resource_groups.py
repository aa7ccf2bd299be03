"""The resource groups that the caller may use."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import msgspec
from flask import Response
from marshmallow import Schema, fields

from service.api.http.context import current_request
from service.api.http.guards import requires
from service.api.http.parameters import Parameters
from service.api.http.request import RESOURCE_GROUP, ReadRequest
from service.api.http.responses import Answers, Representation
from service.api.openapi.blueprints import Blueprint, documented
from service.api.openapi.schemas import Query
from service.domain.freshness import Provenance, Source
from service.domain.runtime import RequestContext
from service.reads.queries import Queries

_OF_THE_TOKEN = Provenance(Source.STORED, age=0.0, ttl=0.0, lifetime=0.0)


class ResourceGroupSchema(Schema):
    """A resource group."""

    id = fields.String(required=True, metadata={"example": "default"})


class ResourceGroupListSchema(Schema):
    """The resource groups that the caller may use."""

    resourceGroups = fields.List(fields.Nested(ResourceGroupSchema), required=True)
    complete = fields.Boolean(
        required=True, metadata={"description": "`false` where the runtime cannot list its groups."}
    )


def blueprint(queries: Queries, answers: Answers, blueprints: Callable[[str, str], Blueprint]) -> Blueprint:
    """Route ``/resource-groups``."""
    routes = blueprints("Resource groups", "Workspaces of the AI runtime, isolated from each other.")

    @routes.route("/resource-groups")
    @routes.arguments(Query, grouped=False)
    @documented(
        "listResourceGroups", ResourceGroupListSchema, "List resource groups", run=False, more=(RESOURCE_GROUP,)
    )
    @requires()
    def resource_groups(read_request: ReadRequest[Parameters]) -> Response:
        """Those that the token names, where it restricts its holder to some; otherwise those of the runtime.

        Where the runtime cannot list its groups, only the requested one is listed. The header `AI-Resource-Group` names
        the request's group, which is the connection's own where the request names none. Any valid token suffices.
        """
        caller = current_request().principal
        asked_for = read_request.context.cache_scope.resource_group
        headers = {RESOURCE_GROUP: asked_for}
        if caller is not None and caller.resource_groups is not None:
            ids = sorted(caller.resource_groups)
            return answers.answer(
                Representation(
                    content=("resource-groups", *ids),
                    form=(),
                    format=read_request.format,
                    provenance=_OF_THE_TOKEN,
                    make=lambda: _written(ids, complete=True),
                    headers=headers,
                )
            )

        def represent(context: RequestContext) -> Representation:
            read = queries.resource_groups(context)
            found = read.content()
            ids = list(found.ids) if found.complete or asked_for in found.ids else [*found.ids, asked_for]
            return Representation(
                content=(read.key, read.digest.hex()),
                form=("resource-groups", *ids),
                format=read_request.format,
                provenance=read.provenance,
                make=lambda: _written(ids, complete=found.complete),
                headers=headers,
            )

        return answers.read(represent, read_request.context)

    return routes


def _written(ids: Sequence[str], *, complete: bool) -> Iterator[bytes]:
    yield msgspec.json.encode({"resourceGroups": [{"id": id_} for id_ in ids], "complete": complete})
