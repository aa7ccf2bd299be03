"""What the sandbox has none of, answered as a runtime does that has none: empty lists, so that clients go on."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request

from service.sandbox.errors import NotFound
from service.sandbox.objects import Kind
from service.sandbox.parts import parts
from service.sandbox.routes import listing
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


@blueprint.get("/lm/executions/<id_>/logs")
def logs(id_: str) -> dict[str, Any]:
    listing.one(Kind.EXECUTION, id_)
    return {"data": {"result": []}}


@blueprint.get("/admin/resourceGroups")
def groups() -> dict[str, Any]:
    found = [_group(name) for name in parts().objects.groups()]
    return {"count": len(found), "resources": found}


@blueprint.get("/admin/resourceGroups/<name>")
def one_group(name: str) -> dict[str, Any]:
    if name not in parts().objects.groups():
        raise NotFound(f"there is no resource group {name!r}", request.path)
    return _group(name)


def _group(name: str) -> dict[str, Any]:
    return {"resourceGroupId": name, "status": "PROVISIONED", "labels": []}
