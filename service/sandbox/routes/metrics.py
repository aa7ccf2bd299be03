"""``/v2/lm/metrics``: what was tracked for executions."""

from __future__ import annotations

from flask import Blueprint, Response, request

from service.sandbox import request_bodies
from service.sandbox.clock import now
from service.sandbox.errors import BadRequest, NotFound, NotImplementedHere
from service.sandbox.metric_queries import selection
from service.sandbox.parts import parts
from service.sandbox.request_parameters import identifier, json_body
from service.sandbox.routes.guard import group

blueprint = Blueprint("metrics", __name__, url_prefix="/v2/lm/metrics")


@blueprint.before_request
def supported() -> None:
    if not parts().faults.now.metrics:
        raise NotImplementedHere("this runtime has no metrics extension")


@blueprint.get("")
def query() -> Response:
    return Response(parts().metrics.answer(group(), selection()), content_type="application/json")


@blueprint.patch("")
def log() -> Response:
    received = now()
    resource = request_bodies.decode(json_body(), request_bodies.MetricResource)
    added = request_bodies.addition(resource, received)
    if not parts().metrics.add(group(), resource.execution_id, added, received):
        raise BadRequest(f"there is no execution {resource.execution_id!r}", "executionId")
    return Response(status=204)


@blueprint.delete("")
def delete() -> dict[str, str]:
    id_ = identifier(request.args.get("executionId", ""), "executionId")
    if not parts().metrics.delete(group(), id_):
        raise NotFound(f"nothing was tracked for execution {id_!r}", "executionId")
    return {"id": id_, "message": "Metric resource deleted"}
