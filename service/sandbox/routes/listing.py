"""Answers that are alike for every kind of object: lists, counts, one object."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flask import Blueprint, Response

from service.sandbox.errors import NotFound
from service.sandbox.objects import Kind
from service.sandbox.parts import parts
from service.sandbox.request_parameters import page
from service.sandbox.routes.guard import group

Filters = Mapping[str, Sequence[str]]

_DEFAULT_TOP, _MOST_TOP = 10_000, 100_000


def add_routes(blueprint: Blueprint, kind: Kind, filters: Callable[[], Filters]) -> None:
    """Add the list of all objects of a kind and their number, both by the ``filters`` of the request."""
    blueprint.add_url_rule("", "query", lambda: listing(kind, filters()))
    blueprint.add_url_rule("/$count", "count", lambda: count(kind, filters()))


def listing(kind: Kind, where: Filters) -> dict[str, Any]:
    """``{"count", "resources"}``: how many there are, and those of the page that is asked for."""
    wanted = page(_DEFAULT_TOP, _MOST_TOP)
    count = parts().objects.count(group(), kind, where)
    return {"count": count, "resources": parts().objects.find(group(), kind, where, wanted)}


def count(kind: Kind, where: Filters) -> Response:
    """The number of objects, as a bare integer."""
    return Response(str(parts().objects.count(group(), kind, where)), content_type="application/json")


def one(kind: Kind, id_: str) -> dict[str, Any]:
    """The object with that id; raises :class:`NotFound`."""
    found = parts().objects.get(group(), kind, id_)
    if found is None:
        raise missing(kind, id_)
    return found


def missing(kind: Kind, id_: str) -> NotFound:
    return NotFound(f"there is no {kind} {id_!r} in this resource group", f"{kind}Id")
