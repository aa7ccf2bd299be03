"""The resource groups that a token restricts its user to."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from service.auth.claim_paths import texts
from service.domain.access import Scope

_ATTRIBUTES = "xs.user.attributes"
_GROUPS = "allowed_all_resourcegroups"
_ABSENT = object()


def allowed_groups(claims: Mapping[str, Any], scopes: Collection[str], *, required: bool) -> frozenset[str] | None:
    """The groups the caller is restricted to, ``None`` for no restriction.

    The values of the attribute are the allowed groups; without values there is no restriction. Where the token has the
    attribute in two places, both apply. A malformed one allows nothing. Where a restriction is ``required``, a caller
    without one needs the scope ``allow_all_resourcegroups``, or may use no group.
    """
    restrictions = [groups for groups in _restrictions(claims) if groups is not None]
    if restrictions:
        return frozenset.intersection(*restrictions)
    return frozenset() if required and Scope.ALL_RESOURCE_GROUPS not in scopes else None


def _restrictions(claims: Mapping[str, Any]) -> Iterator[frozenset[str] | None]:
    """The restrictions of each place: user attributes are at the top level, in newer XSUAA tokens in ``ext_cxt``."""
    yield _restriction(claims.get(_ATTRIBUTES, {}))
    context = claims.get("ext_cxt", {})
    yield _restriction(context.get(_ATTRIBUTES, {})) if isinstance(context, dict) else frozenset()


def _restriction(attributes: Any) -> frozenset[str] | None:
    if not isinstance(attributes, dict):
        return frozenset()
    values = attributes.get(_GROUPS, _ABSENT)
    return None if values is _ABSENT or values == [] else frozenset(texts(values))
