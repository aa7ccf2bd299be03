"""Verifiers for the tests, with an issuer of any dialect and a clock that is moved by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from service.auth.catalogue import load_catalogue
from service.auth.issuer_keys import IssuerKeys
from service.auth.issuers import Dialect, Reading, TrustedIssuer
from service.auth.key_rings import Fetch
from service.auth.verifier import Verifier
from service.domain.access import Principal
from service.domain.errors import BadGateway
from testing.clocks import Clock
from tests.unit.auth import forge

KEYS_URL = "http://keys.example/keys"
XSUAA_DOMAIN = "authentication.region.example"
XSUAA_ISSUER = f"https://acme.{XSUAA_DOMAIN}/oauth/token"
IDENTITY_ISSUER = "https://acme.accounts.example"


class Library:
    """A fetch that answers from memory and notes what was asked of it."""

    def __init__(self, documents: dict[str, bytes]) -> None:
        self.documents = documents
        self.asked: list[str] = []

    def __call__(self, url: str, timeout: float, max_bytes: int, headers: Mapping[str, str]) -> bytes:
        self.asked.append(url)
        if url not in self.documents:
            raise BadGateway("no such document")
        return self.documents[url]


def oidc(**changes: Any) -> TrustedIssuer:
    issuer = TrustedIssuer(Dialect.OIDC, frozenset({forge.AUDIENCE}), Reading(), issuer=forge.ISSUER, jwks_url=KEYS_URL)
    return replace(issuer, **changes)


def xsuaa(**changes: Any) -> TrustedIssuer:
    issuer = TrustedIssuer(
        Dialect.XSUAA,
        frozenset({"sb-launchpad!t1", "launchpad!t1"}),
        Reading(tenant="zid", scope_prefix="launchpad!t1."),
        issuer=XSUAA_ISSUER,
        hosts=(XSUAA_DOMAIN,),
    )
    return replace(issuer, **changes)


def identity(**changes: Any) -> TrustedIssuer:
    issuer = TrustedIssuer(
        Dialect.IDENTITY, frozenset({"client-uuid"}), Reading(tenant="app_tid"), issuer=IDENTITY_ISSUER
    )
    return replace(issuer, **changes)


def verifier(
    issuers: TrustedIssuer | Sequence[TrustedIssuer],
    fetch: Fetch,
    *,
    clock: Clock | None = None,
    algorithms: Sequence[str] = ("RS256", "ES256", "EdDSA"),
    leeway: float = 60.0,
    **limits: int,
) -> Verifier:
    trusted = [issuers] if isinstance(issuers, TrustedIssuer) else list(issuers)
    clock = clock or Clock(forge.NOW)
    found = [(issuer, IssuerKeys(issuer, fetch, clock=clock)) for issuer in trusted]
    return Verifier(found, load_catalogue(), algorithms=algorithms, leeway=leeway, clock=clock, **limits)


def holds(checked: Verifier, token: str) -> Principal:
    return checked.verify(f"Bearer {token}")
