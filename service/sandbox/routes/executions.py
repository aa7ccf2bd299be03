"""``/v2/lm/executions``: to list, start, stop and delete them."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Blueprint, request
from msgspec import Struct

from service.sandbox import lifecycle, request_bodies
from service.sandbox.clock import now
from service.sandbox.errors import ApiError, BadRequest
from service.sandbox.objects import Kind
from service.sandbox.parts import parts
from service.sandbox.request_parameters import json_body, members
from service.sandbox.routes import listing
from service.sandbox.routes.guard import group

blueprint = Blueprint("executions", __name__, url_prefix="/v2/lm/executions")

_MOST_CHANGES = 100
_STATUS_MEMBERS = ("id", "configurationId", "status", "statusDetails", "createdAt", "modifiedAt")


class Creation(Struct, rename="camel"):
    configuration_id: request_bodies.Identifier


class Change(Struct, rename="camel"):
    target_status: str


class NamedChange(Struct, rename="camel"):
    id: request_bodies.Identifier
    target_status: str


class Changes(Struct):
    executions: list[NamedChange]


listing.add_routes(
    blueprint,
    Kind.EXECUTION,
    lambda: members("configurationId", "scenarioId", "executionScheduleId", "status", executableIds="executableId"),
)


@blueprint.get("/<id_>")
def one(id_: str) -> dict[str, Any]:
    found = listing.one(Kind.EXECUTION, id_)
    if request.args.get("$select") == "status":
        return {name: found[name] for name in _STATUS_MEMBERS if name in found}
    return found


@blueprint.post("")
def create() -> tuple[dict[str, Any], int]:
    wanted = request_bodies.decode(json_body(), Creation)
    configuration = parts().objects.get(group(), Kind.CONFIGURATION, wanted.configuration_id)
    if configuration is None:
        raise BadRequest(f"there is no configuration {wanted.configuration_id!r}", "configurationId")
    execution = lifecycle.created(str(uuid.uuid4()), configuration, now())
    parts().objects.put(group(), Kind.EXECUTION, execution)
    return _accepted(execution, "Execution scheduled"), 202


@blueprint.patch("/<id_>")
def change(id_: str) -> tuple[dict[str, Any], int]:
    _only_stop(request_bodies.decode(json_body(), Change).target_status)
    return _accepted(_stop(id_), "Execution modification scheduled"), 202


@blueprint.patch("")
def change_many() -> tuple[dict[str, Any], int]:
    changes = request_bodies.decode(json_body(), Changes).executions
    if not 1 <= len(changes) <= _MOST_CHANGES:
        raise BadRequest(f"expected 1 to {_MOST_CHANGES} executions", "executions")
    return {"executions": [_one_of_many(change) for change in changes]}, 202


@blueprint.delete("/<id_>")
def delete(id_: str) -> tuple[dict[str, Any], int]:
    if not parts().objects.delete(group(), Kind.EXECUTION, id_):
        raise listing.missing(Kind.EXECUTION, id_)
    parts().metrics.delete(group(), id_)
    parts().logs.delete(group(), id_)
    return {"id": id_, "message": "Execution deletion scheduled", "targetStatus": "DELETED"}, 202


def _one_of_many(change: NamedChange) -> dict[str, Any]:
    try:
        if change.target_status == "DELETED":
            return delete(change.id)[0]
        _only_stop(change.target_status)
        return _accepted(_stop(change.id), "Execution modification scheduled")
    except ApiError as error:
        return {"id": change.id, "error": {"code": error.code, "message": error.message}}


def _only_stop(target_status: str) -> None:
    if target_status != "STOPPED":
        raise BadRequest("an execution can only be STOPPED", "targetStatus")


def _stop(id_: str) -> dict[str, Any]:
    moment = now()
    stopped = parts().objects.change(
        group(), Kind.EXECUTION, id_, lambda execution: lifecycle.stopped(execution, moment)
    )
    if stopped is None:
        raise listing.missing(Kind.EXECUTION, id_)
    return stopped


def _accepted(execution: dict[str, Any], message: str) -> dict[str, Any]:
    return {name: execution[name] for name in ("id", "status", "targetStatus")} | {"message": message}
