"""``/v2/lm/executions/{id}/logs``: what runs wrote."""

from __future__ import annotations

import time
from typing import Any

from flask import Blueprint, request

from service.sandbox.clock import is_timestamp, nanoseconds
from service.sandbox.errors import BadRequest, NotImplementedHere
from service.sandbox.logs import Range
from service.sandbox.objects import Kind
from service.sandbox.parts import parts
from service.sandbox.request_parameters import page
from service.sandbox.routes import listing
from service.sandbox.routes.guard import group

blueprint = Blueprint("logs", __name__, url_prefix="/v2/lm/executions")

_DEFAULT_TOP, _MOST_TOP = 1000, 5000
_HOUR = 3600 * 10**9
_LAST = 2**63 - 1


@blueprint.get("/<id_>/logs")
def logs(id_: str) -> dict[str, Any]:
    """Lines from ``start`` (an hour ago where it is left out), inclusive, to ``end``, exclusive."""
    if not parts().faults.now.logs:
        raise NotImplementedHere("this runtime has no logs")
    listing.one(Kind.EXECUTION, id_)
    order = request.args.get("$order", "asc")
    if order not in {"asc", "desc"}:
        raise BadRequest("expected asc or desc", "$order")
    start, end = _instant("start", time.time_ns() - _HOUR), _instant("end", _LAST)
    wanted = Range(start, end, page(_DEFAULT_TOP, _MOST_TOP).top, order == "desc")
    return {"data": {"result": parts().logs.read(group(), id_, wanted)}}


def _instant(name: str, default: int) -> int:
    text = request.args.get(name)
    if text is None:
        return default
    if not is_timestamp(text):
        raise BadRequest("expected an RFC 3339 timestamp", name)
    return max(-_LAST, min(nanoseconds(text), _LAST))
