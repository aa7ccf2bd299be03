"""For whom a token is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from service.auth.claims import audiences, texts
from service.auth.issuers import Dialect, TrustedIssuer


def is_meant(claims: Mapping[str, Any], issuer: TrustedIssuer) -> bool:
    """Whether the token is for this service: ``aud`` names it exactly, or by the rules of the issuer's dialect."""
    named = audiences(claims.get("aud"))
    if not issuer.audiences.isdisjoint(named):
        return True
    match issuer.dialect:
        case Dialect.XSUAA:
            return _meant_by_xsuaa(claims, named, issuer.audiences)
        case Dialect.IDENTITY | Dialect.OIDC:
            return False


def _meant_by_xsuaa(claims: Mapping[str, Any], named: set[str], ours: frozenset[str]) -> bool:
    """The rules of SAP's libraries: an audience counts by what stands before its first dot; without any audience
    scopes stand in; the client that asked for the token counts as well; and clones of a broker are named
    ``<clone>|<xsappname of the broker>``."""
    derived = {audience.partition(".")[0] for audience in named}
    if not named:
        derived = {scope.partition(".")[0] for scope in texts(claims.get("scope")) if "." in scope}
    client = claims.get("azp", claims.get("cid"))
    if isinstance(client, str):
        derived.add(client)
    if not ours.isdisjoint(derived):
        return True
    brokers = tuple(f"|{name}" for name in ours if "!b" in name)
    return bool(brokers) and any(audience.endswith(brokers) for audience in derived)
