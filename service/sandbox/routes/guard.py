"""Checks of every request to ``/v2``: faults, bearer token, resource group."""

from __future__ import annotations

from flask import g, request

from service.sandbox.errors import Unauthorized
from service.sandbox.parts import parts
from service.sandbox.request_parameters import resource_group

_WITHOUT_GROUP = ("/v2/lm/meta", "/v2/lm/healthz", "/v2/admin/")


def admit() -> None:
    """Check a request to the runtime; afterwards :func:`group` is its resource group."""
    if not request.path.startswith("/v2/"):
        return
    parts().faults.apply()
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthorized("a bearer token is needed", "Authorization")
    if not parts().issuer.is_for_runtime(token.strip()):
        raise Unauthorized("the token is not valid here, or not any more", "Authorization")
    if not request.path.startswith(_WITHOUT_GROUP):
        g.resource_group = resource_group()


def group() -> str:
    """The resource group of the current request."""
    found: str = g.resource_group
    return found
