"""``/sandbox``: switches for trying things by hand. They are no part of the AI API and need no token."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Literal

from flask import Blueprint
from msgspec import Struct

from service.sandbox import announcement, lifecycle, request_bodies
from service.sandbox.clock import is_timestamp, now
from service.sandbox.errors import BadRequest
from service.sandbox.faults import FaultChange
from service.sandbox.objects import Kind
from service.sandbox.parts import parts
from service.sandbox.request_parameters import identifier, json_body
from service.sandbox.routes import listing

blueprint = Blueprint("control", __name__, url_prefix="/sandbox")


class Move(Struct, rename="camel", forbid_unknown_fields=True):
    status: Literal["PENDING", "RUNNING", "COMPLETED", "DEAD", "STOPPING", "STOPPED", "UNKNOWN"]
    status_message: str | None = None
    resource_group: str = "default"


class Line(Struct, forbid_unknown_fields=True):
    msg: str
    timestamp: str | None = None
    container: str = "main"
    pod: str = "sandbox"
    stream: Literal["stdout", "stderr"] = "stdout"


class Writing(Struct, rename="camel", forbid_unknown_fields=True):
    lines: list[Line]
    resource_group: str = "default"


@blueprint.get("/faults")
def faults() -> dict[str, Any]:
    return asdict(parts().faults.now)


@blueprint.put("/faults")
def change_faults() -> dict[str, Any]:
    return asdict(parts().faults.change(request_bodies.decode(json_body(), FaultChange)))


@blueprint.get("/runs")
def runs() -> dict[str, Any]:
    return {"runs": announcement.catalogue()}


@blueprint.put("/executions/<id_>/status")
def move(id_: str) -> dict[str, Any]:
    """Give an execution another status, as the cluster would that a real runtime runs on."""
    wanted = request_bodies.decode(json_body(), Move)
    group, moment = identifier(wanted.resource_group, "resourceGroup"), now()
    moved = parts().objects.change(
        group,
        Kind.EXECUTION,
        id_,
        lambda execution: lifecycle.moved(execution, wanted.status, moment, wanted.status_message),
    )
    if moved is None:
        raise listing.missing(Kind.EXECUTION, id_)
    return moved


@blueprint.post("/executions/<id_>/logs")
def write(id_: str) -> tuple[dict[str, Any], int]:
    """Append to the log of an execution, as what runs in its container would; lines are of now unless they say when."""
    wanted = request_bodies.decode(json_body(), Writing)
    group, moment = identifier(wanted.resource_group, "resourceGroup"), now()
    if parts().objects.get(group, Kind.EXECUTION, id_) is None:
        raise listing.missing(Kind.EXECUTION, id_)
    for number, line in enumerate(wanted.lines):
        line.timestamp = line.timestamp or moment
        if not is_timestamp(line.timestamp):
            raise BadRequest("Expected an RFC 3339 timestamp", f"lines[{number}].timestamp")
    parts().logs.write(group, id_, map(request_bodies.plain, wanted.lines))
    return {"written": len(wanted.lines)}, 201
