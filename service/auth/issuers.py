"""Trusted issuers, and the rules for their tokens."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any

import msgspec

_ZONE = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_HEADER_WORD = re.compile(r"[A-Za-z0-9_.:|!-]{1,128}", re.ASCII)
_SUBDOMAIN = r"[A-Za-z0-9-]{1,63}\."
_XSUAA_OF_OLD = re.compile(rf"http://{_SUBDOMAIN}localhost:8080/uaa/oauth/token", re.ASCII)
"""The ``iss`` of an XSUAA without a configured URL. It is never connected to: keys come from the binding's domain."""


ROLE_COLLECTIONS = "/xs.system.attributes/xs.rolecollections"
"""The claim of XSUAA that lists role collections."""


class Dialect(Enum):
    """The conventions of an issuer's claims."""

    OIDC = "oidc"
    XSUAA = "xsuaa"
    IDENTITY = "identity"


class Reading(msgspec.Struct, frozen=True):
    """The names of claims, each a dotted path or a JSON pointer (RFC 6901).

    ``tenant`` is ``None`` where the issuer is the tenant. A scope counts only with ``scope_prefix``.
    ``require_resource_groups`` refuses every group to callers whose tokens name none.
    """

    tenant: str | None = None
    roles: str = "roles"
    role_collections: str = ROLE_COLLECTIONS
    scope_prefix: str = ""
    require_resource_groups: bool = False


class KeySource(msgspec.Struct, frozen=True):
    """The location of a key set: ``url``, or what the discovery document of the issuer at ``url`` points to.

    ``headers`` are sent with requests; an issuer that requires them has keys only for a tenant and client that it
    knows.
    """

    url: str
    discover: bool = False
    headers: tuple[tuple[str, str], ...] = ()


class TrustedIssuer(msgspec.Struct, frozen=True):
    """One issuer, or the zones or tenants of a binding.

    ``issuer`` is the exact ``iss``. ``hosts`` are the domains of a binding: an XSUAA zone's ``iss`` is at or one label
    below the first, or the former one of every XSUAA; an Identity Authentication tenant's is one label below any.
    ``jwks_url`` is where keys are, found by discovery where it is ``None``. ``static_key`` is a PEM public key that is
    used where no other can be loaded. ``scheme`` is the URL scheme of the binding. ``zone`` is the zone or tenant whose
    keys are loaded ahead.
    """

    dialect: Dialect
    audiences: frozenset[str]
    reading: Reading
    issuer: str | None = None
    hosts: tuple[str, ...] = ()
    jwks_url: str | None = None
    static_key: str | None = None
    scheme: str = "https"
    zone: str | None = None

    @property
    def name(self) -> str:
        return self.issuer or f"{self.scheme}://{self.hosts[0]}"

    @property
    def first_source(self) -> KeySource | None:
        """The keys to load in advance; ``None`` where a token has to name them."""
        if self.issuer is None or (self.dialect is not Dialect.OIDC and not self.zone):
            return None
        own = {"zid": self.zone, "app_tid": self.zone, "azp": min(self.audiences, default="")}
        return self.key_source(self.issuer, own)

    def issued(self, claims: Mapping[str, Any]) -> str | None:
        """The issuer named by the claims, if it is this one.

        Identity Authentication names itself in ``ias_iss`` where ``iss`` is a customer's own domain.
        """
        claim = "ias_iss" if self.dialect is Dialect.IDENTITY and "ias_iss" in claims else "iss"
        issuer = claims.get(claim)
        known = isinstance(issuer, str) and (issuer == self.issuer or self._is_zone(issuer))
        return issuer if known else None

    def key_source(self, issuer: str, claims: Mapping[str, Any]) -> KeySource:
        """The location of the keys for a token of ``issuer``, made from trusted parts.

        Raises ``ValueError`` where a part that the token has to supply is missing or malformed.
        """
        if self.dialect is Dialect.XSUAA:
            return self._zone_source(claims.get("zid"))
        if self.dialect is Dialect.IDENTITY:
            return KeySource(issuer, discover=True, headers=tuple(self._identifying(issuer, claims)))
        return KeySource(issuer, discover=True) if self.jwks_url is None else KeySource(self.jwks_url)

    def _zone_source(self, zone: object) -> KeySource:
        return KeySource(f"{self.scheme}://{self.hosts[0]}/token_keys?zid={zone_id(zone)}")

    def _identifying(self, issuer: str, claims: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """Headers from a token for an Identity Authentication server, which returns keys only where it knows our
        client, the token's tenant and the client that got the token.

        Anyone can have a tenant below the domains, so there the token must name its tenant; for a token without one,
        only the binding's own issuer is requested without headers.
        """
        tenant = "app_tid" if "app_tid" in claims else "zone_uuid"
        if issuer == self.issuer and tenant not in claims:
            return
        yield "x-app_tid", header_word(claims.get(tenant))
        yield from (("x-client_id", client) for client in sorted(self.audiences))
        for claim in ("azp", "azp_app_tid"):
            if claim in claims:
                yield f"x-{claim}", header_word(claims[claim])

    def _is_zone(self, issuer: str) -> bool:
        match self.dialect:
            case Dialect.OIDC:
                return False
            case Dialect.XSUAA if _XSUAA_OF_OLD.fullmatch(issuer):
                return True
            case Dialect.XSUAA:
                label, path = f"(?:{_SUBDOMAIN})?", "/oauth/token"
            case Dialect.IDENTITY:
                label, path = _SUBDOMAIN, ""
        hosts = "|".join(re.escape(host) for host in self.hosts)
        return bool(hosts) and re.fullmatch(f"{self.scheme}://{label}(?:{hosts}){path}", issuer) is not None


def zone_id(value: object) -> str:
    """An XSUAA zone's id, if it is safe in a URL. Raises ``ValueError``."""
    if not isinstance(value, str) or not _ZONE.fullmatch(value):
        raise ValueError("must be 1 to 64 letters, digits, _ or -")
    return value


def header_word(value: object) -> str:
    """The id of a client or tenant, if it is safe in a header field. Raises ``ValueError``."""
    if not isinstance(value, str) or not _HEADER_WORD.fullmatch(value):
        raise ValueError("must be 1 to 128 letters, digits or one of _ . : | ! -")
    return value
