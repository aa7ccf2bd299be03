"""Builds the authentication of callers: trusted issuers, their keys and the role catalogue."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import msgspec

from service.auth.catalogue import load_catalogue
from service.auth.issuer_keys import IssuerKeys
from service.auth.issuers import Dialect, Reading, TrustedIssuer
from service.auth.key_rings import FETCH_BYTES
from service.auth.verifier import Verifier
from service.domain.access import GrantDirectory, TokenVerifier
from service.runtimes.transport import HttpTransport, fetch_document
from service.settings import AuthSettings, IdentityBinding, XsuaaBinding
from service.telemetry.prometheus import Telemetry

_CONNECT_SECONDS = 3.0


class Authentication(msgspec.Struct, frozen=True):
    """The verifier of tokens and the directory of roles."""

    verifier: TokenVerifier
    grants: GrantDirectory


def build_authentication(settings: AuthSettings, telemetry: Telemetry) -> Authentication:
    """Build both. Raises ``ValueError`` for an unusable role catalogue or verification key."""
    catalogue = load_catalogue(settings.role_catalogue)
    transport = HttpTransport(
        connect_timeout=_CONNECT_SECONDS, max_body_bytes=FETCH_BYTES, pool_size=4, telemetry=telemetry
    )
    fetch = fetch_document(transport)
    issuers = [(issuer, IssuerKeys(issuer, fetch)) for issuer in trusted_issuers(settings)]
    verifier = Verifier(
        issuers,
        catalogue,
        algorithms=settings.algorithms,
        leeway=settings.leeway,
        max_bytes=settings.max_token_bytes,
    )
    return Authentication(verifier, catalogue)


def trusted_issuers(settings: AuthSettings) -> Iterator[TrustedIssuer]:
    """The issuers of the settings and bindings."""
    urls = settings.jwks_urls or (None,) * len(settings.issuers)
    for issuer, jwks_url in zip(settings.issuers, urls, strict=True):
        reading = _reading(settings, settings.tenant_claim, settings.scope_prefix)
        yield TrustedIssuer(Dialect.OIDC, frozenset(settings.audiences), reading, issuer=issuer, jwks_url=jwks_url)
    yield from (_xsuaa(settings, binding) for binding in settings.xsuaa)
    yield from (_identity(settings, binding) for binding in settings.identity)


def _xsuaa(settings: AuthSettings, binding: XsuaaBinding) -> TrustedIssuer:
    reading = _reading(settings, settings.tenant_claim or "zid", settings.scope_prefix or f"{binding.xsappname}.")
    return TrustedIssuer(
        Dialect.XSUAA,
        frozenset({binding.client_id, binding.xsappname}),
        reading,
        issuer=f"{binding.url.rstrip('/')}/oauth/token",
        hosts=(binding.uaadomain,),
        static_key=binding.verification_key,
        zone=binding.identity_zone_id,
        scheme=urlsplit(binding.url).scheme,
    )


def _identity(settings: AuthSettings, binding: IdentityBinding) -> TrustedIssuer:
    reading = _reading(settings, settings.tenant_claim or "app_tid", settings.scope_prefix)
    return TrustedIssuer(
        Dialect.IDENTITY,
        frozenset({binding.client_id}),
        reading,
        issuer=binding.url.rstrip("/"),
        hosts=binding.domains,
        zone=binding.app_tid,
        scheme=urlsplit(binding.url).scheme,
    )


def _reading(settings: AuthSettings, tenant_claim: str | None, scope_prefix: str) -> Reading:
    return Reading(
        tenant=tenant_claim,
        roles=settings.roles_claim,
        role_collections=settings.role_collections_claim,
        scope_prefix=scope_prefix,
        require_resource_groups=settings.require_resource_groups,
    )
