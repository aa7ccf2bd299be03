"""``/v2/lm/configurations``: parameter values and input artifacts of executions.

A scenario and an executable are taken at their word: the sandbox has no repository of templates to look them up in.
"""

from __future__ import annotations

import uuid
from typing import Any

from flask import Blueprint
from msgspec import Struct, field

from service.sandbox import request_bodies
from service.sandbox.clock import now
from service.sandbox.objects import Kind
from service.sandbox.parts import parts
from service.sandbox.request_parameters import json_body, members
from service.sandbox.routes import listing
from service.sandbox.routes.guard import group

blueprint = Blueprint("configurations", __name__, url_prefix="/v2/lm/configurations")


class ParameterBinding(Struct):
    key: request_bodies.Name
    value: str


class InputArtifactBinding(Struct, rename="camel"):
    key: request_bodies.Name
    artifact_id: request_bodies.Identifier


class Configuration(Struct, rename="camel"):
    name: request_bodies.Name
    executable_id: request_bodies.Name
    scenario_id: request_bodies.Name
    parameter_bindings: list[ParameterBinding] | None = field(default_factory=list)
    input_artifact_bindings: list[InputArtifactBinding] | None = field(default_factory=list)


listing.add_routes(blueprint, Kind.CONFIGURATION, lambda: members("scenarioId", executableIds="executableId"))


@blueprint.get("/<id_>")
def one(id_: str) -> dict[str, Any]:
    return listing.one(Kind.CONFIGURATION, id_)


@blueprint.post("")
def create() -> tuple[dict[str, Any], int]:
    given = request_bodies.plain(request_bodies.decode(json_body(), Configuration))
    id_ = str(uuid.uuid4())
    parts().objects.put(group(), Kind.CONFIGURATION, given | {"id": id_, "createdAt": now()})
    return {"id": id_, "message": "Configuration created"}, 201
