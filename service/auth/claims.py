"""From verified claims to the principal, by the issuer's dialect."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from service.auth.allowed_groups import allowed_groups
from service.auth.catalogue import RoleCatalogue
from service.auth.claim_paths import find, texts, words
from service.auth.issuers import Dialect, TrustedIssuer
from service.auth.tokens import Token
from service.domain.access import Principal
from service.domain.errors import InvalidToken

_LONGEST_NAME = 512
_CLIENTS = ("user_id", "client_id", "cid", "azp")


def principal_of(token: Token, issuer: TrustedIssuer, name: str, catalogue: RoleCatalogue) -> Principal:
    """The caller named by a token of the issuer ``name``. Raises ``InvalidToken`` where a needed claim is missing."""
    claims, reading = token.claims, issuer.reading
    scopes = _scopes(claims, issuer)
    scopes |= catalogue.scopes(_roles(claims, issuer), _role_collections(claims, issuer))
    zone = claims.get("zoneinfo")
    return Principal(
        subject=_subject(claims, issuer.dialect),
        tenant=_tenant(claims, issuer, name),
        issuer=name,
        scopes=frozenset(scopes),
        resource_groups=allowed_groups(claims, scopes, required=reading.require_resource_groups),
        expires_at=float(claims["exp"]),
        token=token.encoded,
        zone=zone if isinstance(zone, str) else None,
    )


def _scopes(claims: Mapping[str, Any], issuer: TrustedIssuer) -> set[str]:
    """The scopes with our prefix, which is removed; a scope of another application is not ours, nor one that contains
    ours.

    XSUAA uses neither ``scp`` nor ``roles``: their values were not granted by it.
    """
    prefix, given = issuer.reading.scope_prefix, words(claims.get("scope"))
    if issuer.dialect is not Dialect.XSUAA:
        given |= words(claims.get("scp"))
    return {scope.removeprefix(prefix) for scope in given if scope.startswith(prefix) and scope != prefix}


def _roles(claims: Mapping[str, Any], issuer: TrustedIssuer) -> set[str]:
    """Role names of an OpenID Connect issuer, with or without our prefix."""
    if issuer.dialect is Dialect.XSUAA:
        return set()
    found = texts(find(claims, issuer.reading.roles))
    return {role.removeprefix(issuer.reading.scope_prefix) for role in found}


def _role_collections(claims: Mapping[str, Any], issuer: TrustedIssuer) -> set[str]:
    """Role collections; Identity Authentication lists those assigned by an administrator in ``groups``."""
    found = texts(find(claims, issuer.reading.role_collections))
    return found | texts(claims.get("groups")) if issuer.dialect is Dialect.IDENTITY else found


def _subject(claims: Mapping[str, Any], dialect: Dialect) -> str:
    """``sub``, or the client where XSUAA issued the token to a client without a subject."""
    names = ("sub", *_CLIENTS) if dialect is Dialect.XSUAA else ("sub",)
    return _name(next((claims[name] for name in names if name in claims), None), "subject")


def _tenant(claims: Mapping[str, Any], issuer: TrustedIssuer, name: str) -> str:
    path = issuer.reading.tenant
    if path is None:
        return name
    found = find(claims, path)
    if found is None and issuer.dialect is Dialect.IDENTITY and path == "app_tid":
        found = claims.get("zone_uuid")
    return _name(found, "tenant")


def _name(value: Any, of: str) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_NAME:
        raise InvalidToken(f"the token names no {of}")
    return value
