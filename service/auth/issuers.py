"""Whose tokens count, and by which rules."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from urllib.parse import quote, urlsplit

_ZID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)


class Dialect(Enum):
    """How an issuer writes its claims."""

    OIDC = "oidc"
    XSUAA = "xsuaa"
    IDENTITY = "identity"


@dataclass(frozen=True, slots=True)
class Reading:
    """Which claims say what; a claim is named by a dotted path or a JSON pointer (RFC 6901).

    ``tenant`` is ``None`` where the issuer is the tenant. A scope counts only behind ``scope_prefix``.
    """

    tenant: str | None = None
    roles: str = "roles"
    role_collections: str = "/xs.system.attributes/xs.rolecollections"
    scope_prefix: str = ""
    require_resource_groups: bool = False


@dataclass(frozen=True, slots=True)
class TrustedIssuer:
    """One issuer, or, behind an XSUAA binding, the family of its zones.

    ``issuer`` is the exact ``iss``; ``hosts`` are, in its place, the domains that a zone may be at or below.
    ``jwks_url`` is where keys are, found by discovery where it is ``None``. ``static_key`` is a PEM public key that
    counts where no key can be fetched. ``scheme`` is the URL scheme of the binding.
    """

    dialect: Dialect
    audiences: frozenset[str]
    reading: Reading
    issuer: str | None = None
    hosts: tuple[str, ...] = ()
    jwks_url: str | None = None
    static_key: str | None = None
    scheme: str = "https"

    @property
    def name(self) -> str:
        return self.issuer or f"{self.scheme}://{self.hosts[0]}"

    def issued(self, issuer: str) -> bool:
        """Whether ``issuer`` is this one's ``iss``."""
        if self.issuer is not None and issuer == self.issuer:
            return True
        return self.dialect is Dialect.XSUAA and self._below(issuer, "/oauth/token")

    def key_url(self, issuer: str, zone: object) -> str | None:
        """Where the keys for a token of ``issuer`` are: a URL made from trusted parts, ``None`` for discovery.

        Raises ``ValueError`` where the token's zone id, which goes into the URL, is malformed.
        """
        if self.dialect is not Dialect.XSUAA:
            return self.jwks_url
        if not isinstance(zone, str) or not _ZID.fullmatch(zone):
            raise ValueError("zid")
        return f"{self.scheme}://{self.hosts[0]}/token_keys?zid={quote(zone, safe='')}"

    def _below(self, issuer: str, path: str) -> bool:
        try:
            parts = urlsplit(issuer)
        except ValueError:
            return False
        if parts.path.rstrip("/") != path or parts.scheme != self.scheme or parts.query or parts.fragment:
            return False
        host = parts.netloc
        return any(host == trusted or (host.endswith(f".{trusted}") and _label(host)) for trusted in self.hosts)


def _label(host: str) -> bool:
    return re.fullmatch(r"[a-z0-9.-]+(:[0-9]+)?", host, re.ASCII) is not None
