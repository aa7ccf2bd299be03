"""``/v2/admin/resourceGroups``: every group that has something in it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request

from service.sandbox.errors import NotFound
from service.sandbox.parts import parts
from service.sandbox.request_parameters import page

blueprint = Blueprint("resource_groups", __name__, url_prefix="/v2/admin/resourceGroups")

_MOST = 10_000


@blueprint.get("")
def groups() -> dict[str, Any]:
    found, wanted = parts().objects.groups(), page(_MOST, _MOST)
    chosen = found[wanted.skip :][: wanted.top]
    return {"count": len(found), "resources": [_group(name) for name in chosen]}


@blueprint.get("/<name>")
def one_group(name: str) -> dict[str, Any]:
    if name not in parts().objects.groups():
        raise NotFound(f"there is no resource group {name!r}", request.path)
    return _group(name)


def _group(name: str) -> dict[str, Any]:
    return {"resourceGroupId": name, "status": "PROVISIONED", "labels": []}
