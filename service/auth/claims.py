"""What verified claims say of the caller, in the words of the issuer's dialect."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from service.auth.catalogue import RoleCatalogue
from service.auth.issuers import Dialect, TrustedIssuer
from service.auth.tokens import Token
from service.domain.access import Principal, Scope
from service.domain.errors import InvalidToken

_LONGEST_NAME = 512
_GROUPS = "allowed_all_resourcegroups"


def principal_of(token: Token, issuer: TrustedIssuer, catalogue: RoleCatalogue) -> Principal:
    """The caller. Raises ``InvalidToken`` where a claim that is needed is missing."""
    claims, reading = token.claims, issuer.reading
    prefix = reading.scope_prefix
    granted = _scopes(claims, prefix)
    roles = {role.removeprefix(prefix) for role in texts(find(claims, reading.roles))}
    collections = texts(find(claims, reading.role_collections))
    if issuer.dialect is Dialect.IDENTITY:
        collections |= texts(claims.get("groups"))
    granted |= catalogue.scopes(roles, collections)
    zone = claims.get("zoneinfo")
    return Principal(
        subject=_subject(claims),
        tenant=_tenant(claims, reading.tenant),
        issuer=str(claims["iss"]),
        scopes=frozenset(granted),
        resource_groups=_resource_groups(claims, granted, required=reading.require_resource_groups),
        expires_at=float(claims["exp"]),
        token=token.encoded,
        zone=zone if isinstance(zone, str) else None,
    )


def find(claims: Mapping[str, Any], path: str) -> Any:
    """The claim at a JSON pointer (``/a/b``) or a dotted path; names may have dots themselves, the longest counts."""
    if path.startswith("/"):
        steps = [step.replace("~1", "/").replace("~0", "~") for step in path[1:].split("/")]
        found: Any = claims
        for step in steps:
            found = found.get(step) if isinstance(found, dict) else None
        return found
    if path in claims:
        return claims[path]
    for end in (at for at in range(len(path) - 1, 0, -1) if path[at] == "."):
        inner = claims.get(path[:end])
        if isinstance(inner, dict):
            return find(inner, path[end + 1 :])
    return None


def texts(value: Any) -> set[str]:
    """The strings of a claim that is a list of them or a single one; what else there may be is left out."""
    if isinstance(value, str):
        return {value}
    return {item for item in value if isinstance(item, str)} if isinstance(value, list) else set()


def audiences(value: Any) -> set[str]:
    """The ``aud`` claim (RFC 7519, 4.1.3); a list with anything but strings in it counts for nothing."""
    if isinstance(value, list) and not all(isinstance(item, str) for item in value):
        return set()
    return texts(value)


def _scopes(claims: Mapping[str, Any], prefix: str) -> set[str]:
    given = claims.get("scope", claims.get("scp"))
    words: Iterable[str] = given.split(" ") if isinstance(given, str) else texts(given)
    return {word.removeprefix(prefix) for word in words if word.startswith(prefix) and word != prefix}


def _subject(claims: Mapping[str, Any]) -> str:
    for name in ("sub", "user_id", "client_id", "cid", "azp"):
        subject = claims.get(name)
        if isinstance(subject, str) and 0 < len(subject) <= _LONGEST_NAME:
            return subject
    raise InvalidToken("the token names no subject")


def _tenant(claims: Mapping[str, Any], path: str | None) -> str:
    tenant = claims["iss"] if path is None else find(claims, path)
    if not isinstance(tenant, str) or not 0 < len(tenant) <= _LONGEST_NAME:
        raise InvalidToken("the token names no tenant")
    return tenant


def _resource_groups(claims: Mapping[str, Any], scopes: set[str], *, required: bool) -> frozenset[str] | None:
    """The groups the caller is restricted to, ``None`` for no restriction; what cannot be read allows nothing."""
    attributes = claims.get("xs.user.attributes")
    if attributes is None and isinstance(claims.get("ext_cxt"), dict):
        attributes = claims["ext_cxt"].get("xs.user.attributes")
    if attributes is not None and not isinstance(attributes, dict):
        return frozenset()
    values = (attributes or {}).get(_GROUPS)
    if values is None or values == []:
        return frozenset() if required and Scope.ALL_RESOURCE_GROUPS not in scopes else None
    return frozenset(texts(values))
