"""The audience of a token."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from service.auth.claim_paths import words
from service.auth.issuers import Dialect, TrustedIssuer


def is_meant(claims: Mapping[str, Any], issuer: TrustedIssuer) -> bool:
    """Whether the token is for this service: ``aud`` names it exactly, or by the rules of XSUAA."""
    named = _audiences(claims.get("aud", []))
    if named is None:
        return False
    if issuer.dialect is Dialect.XSUAA:
        return _meant_by_xsuaa(claims, named, issuer.audiences)
    return not issuer.audiences.isdisjoint(named)


def _audiences(value: Any) -> set[str] | None:
    """The ``aud`` claim (RFC 7519, 4.1.3), a string or a list of strings; ``None`` for anything else."""
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list) or not all(isinstance(item, str) for item in listed):
        return None
    return set(listed)


def _meant_by_xsuaa(claims: Mapping[str, Any], named: set[str], ours: frozenset[str]) -> bool:
    """The rules of SAP's libraries.

    Only the part of an audience before its first dot counts. A token without audiences has those of its scopes. The
    client that requested the token is an audience, too: ``cid``, or ``azp`` without it. Clones of a broker are named
    ``<clone>|<name of the broker>``.
    """
    derived = {audience.partition(".")[0].strip() if "." in audience else audience for audience in named}
    if not named:
        derived = {scope.partition(".")[0].strip() for scope in words(claims.get("scope")) if "." in scope}
    client = claims.get("cid", claims.get("azp"))
    if isinstance(client, str):
        derived.add(client)
    brokers = tuple(f"|{name}" for name in ours if "!b" in name)
    return not ours.isdisjoint(derived) or any(audience.endswith(brokers) for audience in derived)
