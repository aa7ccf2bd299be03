"""``/v2/lm/scenarios``: use cases, and the executables that belong to each."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from service.sandbox.objects import Kind
from service.sandbox.routes import listing

blueprint = Blueprint("scenarios", __name__, url_prefix="/v2/lm/scenarios")


@blueprint.get("")
def query() -> dict[str, Any]:
    return listing.listing(Kind.SCENARIO, {})


@blueprint.get("/<id_>")
def one(id_: str) -> dict[str, Any]:
    return listing.one(Kind.SCENARIO, id_)


@blueprint.get("/<id_>/versions")
def versions(id_: str) -> dict[str, Any]:
    scenario = listing.one(Kind.SCENARIO, id_)
    names = ("createdAt", "modifiedAt", "description")
    version = {"id": "1.0.0", "scenarioId": id_} | {name: scenario[name] for name in names if name in scenario}
    return {"count": 1, "resources": [version]}


@blueprint.get("/<id_>/models")
def models(id_: str) -> dict[str, Any]:
    return {"count": 0, "resources": []}


@blueprint.get("/<id_>/executables")
def executables(id_: str) -> dict[str, Any]:
    listing.one(Kind.SCENARIO, id_)
    return listing.listing(Kind.EXECUTABLE, {"scenarioId": [id_]})


@blueprint.get("/<scenario_id>/executables/<id_>")
def executable(scenario_id: str, id_: str) -> dict[str, Any]:
    found = listing.one(Kind.EXECUTABLE, id_)
    if found["scenarioId"] != scenario_id:
        raise listing.missing(Kind.EXECUTABLE, id_)
    return found
