"""Deployments and schedules, of which the sandbox has none: empty lists, so that clients work."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response

from service.sandbox.errors import NotFound
from service.sandbox.routes.guard import group

blueprint = Blueprint("absent", __name__, url_prefix="/v2")


@blueprint.get("/lm/deployments")
@blueprint.get("/lm/executionSchedules")
def nothing() -> dict[str, Any]:
    return {"count": 0, "resources": []}


@blueprint.get("/lm/deployments/$count")
@blueprint.get("/lm/executionSchedules/$count")
def no_count() -> Response:
    return Response("0", content_type="application/json")


@blueprint.get("/lm/deployments/<id_>")
@blueprint.get("/lm/executionSchedules/<id_>")
def none(id_: str) -> dict[str, Any]:
    raise NotFound(f"there is no {id_!r} in {group()}")
