"""``/v2/lm/artifacts``: what goes into executions and what comes out of them."""

from __future__ import annotations

import uuid
from typing import Any, Literal

from flask import Blueprint
from msgspec import Struct

from service.sandbox import request_bodies
from service.sandbox.clock import now
from service.sandbox.objects import Kind
from service.sandbox.parts import parts
from service.sandbox.request_parameters import json_body, members
from service.sandbox.routes import listing
from service.sandbox.routes.guard import group

blueprint = Blueprint("artifacts", __name__, url_prefix="/v2/lm/artifacts")


class ArtifactLabel(Struct):
    key: request_bodies.Name
    value: str


class Artifact(Struct, rename="camel"):
    name: request_bodies.Name
    kind: Literal["model", "dataset", "resultset", "other"]
    url: str
    scenario_id: request_bodies.Name
    description: str | None = None
    labels: list[ArtifactLabel] | None = None


listing.add_routes(blueprint, Kind.ARTIFACT, lambda: members("scenarioId", "executionId", "name", "kind"))


@blueprint.get("/<id_>")
def one(id_: str) -> dict[str, Any]:
    return listing.one(Kind.ARTIFACT, id_)


@blueprint.post("")
def create() -> tuple[dict[str, Any], int]:
    given = request_bodies.plain(request_bodies.decode(json_body(), Artifact))
    moment = now()
    artifact = given | {"id": str(uuid.uuid4()), "createdAt": moment, "modifiedAt": moment}
    parts().objects.put(group(), Kind.ARTIFACT, artifact)
    return {"id": artifact["id"], "url": artifact["url"], "message": "Artifact acknowledged"}, 201
