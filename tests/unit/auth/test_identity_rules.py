"""The rules of Identity Authentication tokens, each with its source as in ``test_xsuaa_rules``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from service.domain.errors import InvalidToken
from tests.unit.auth.forge import GONE, compact, header, jwk, members, rsa_key, token
from tests.unit.auth.forge import claims as plain
from tests.unit.auth.worlds import IDENTITY_ISSUER, Library, holds, identity, verifier

DOMAINS = ("accounts.example", "accounts400.example")
OTHER = "https://beta.accounts.example"


def claims(**changes: Any) -> dict[str, Any]:
    base = {"iss": IDENTITY_ISSUER, "aud": "client-uuid", "azp": "client-uuid", "app_tid": "tenant-1", "scope": GONE}
    return members(plain(**base, groups=["ailaunchpad_mloperations_viewer"]), changes)


def library(*issuers: str) -> Library:
    documents = {}
    for issuer in issuers or (IDENTITY_ISSUER,):
        where = f"{issuer}/oauth2/certs"
        documents[f"{issuer}/.well-known/openid-configuration"] = compact({"issuer": issuer, "jwks_uri": where})
        documents[where] = compact({"keys": [jwk(rsa_key("rsa-1"), "rsa-1")]})
    return Library(documents)


class Identified:
    """A fetch that sends headers, of a server that knows one tenant."""

    def __init__(self, known: Library, tenant: str = "tenant-1") -> None:
        self.known = known
        self.tenant = tenant
        self.sent: list[dict[str, str]] = []

    def __call__(self, url: str, timeout: float, max_bytes: int, headers: Mapping[str, str]) -> bytes:
        self.sent.append(dict(headers))
        if headers["x-app_tid"] != self.tenant:
            return self.known("unknown tenant", timeout, max_bytes)
        return self.known(url, timeout, max_bytes)


def test_tenant_subject_and_groups() -> None:
    """roles.md and the issue: ``app_tid`` is the tenant, ``groups`` what an administrator assigned."""
    principal = holds(verifier(identity(), library()), token(header(), claims()))
    assert (principal.tenant, principal.subject, principal.issuer) == ("tenant-1", "ada", IDENTITY_ISSUER)
    assert principal.has("scenarios.metrics.read")


def test_the_tenant_of_old() -> None:
    """Python ``validate_signature``: ``zone_uuid`` where there is no ``app_tid``."""
    old = token(header(), claims(app_tid=GONE, zone_uuid="tenant-0"))
    assert holds(verifier(identity(), library()), old).tenant == "tenant-0"


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": ["another"]},
        {"aud": GONE},
        {"aud": ["client-uuid.x"]},
        {"app_tid": GONE},
        {"app_tid": ""},
        {"app_tid": 1},
        {"sub": GONE},
        {"iss": f"{IDENTITY_ISSUER}/"},
        {"iss": IDENTITY_ISSUER.replace("https", "http")},
        {"iss": "acme.accounts.example"},
        {"iss": OTHER},
        {"ias_iss": "https://attacker.example"},
        {"ias_iss": None},
        {"ias_iss": ""},
    ],
    ids=str,
)
def test_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidToken):
        holds(verifier(identity(), library()), token(header(), claims(**changes)))


def test_a_domain_of_the_customers_own() -> None:
    """Python ``get_issuer``: ``ias_iss`` goes before ``iss``."""
    own = token(header(), claims(iss="https://login.customer.example", ias_iss=IDENTITY_ISSUER))
    assert holds(verifier(identity(), library()), own).issuer == IDENTITY_ISSUER


def test_tenants_below_the_domains_with_the_headers_that_bind_their_keys() -> None:
    """Java ``SapIdJwtSignatureValidator``: the key server is told tenant, client and ``azp``, and refuses others."""
    known = Identified(library(OTHER))
    checked = verifier(identity(hosts=DOMAINS), library(), identified=known)
    assert holds(checked, token(header(), claims(iss=OTHER))).issuer == OTHER
    expected = {"x-app_tid": "tenant-1", "x-client_id": "client-uuid", "x-azp": "client-uuid"}
    assert known.sent == [expected, expected]
    with pytest.raises(InvalidToken):
        holds(checked, token(header(), claims(iss=OTHER, app_tid="tenant-2")))


@pytest.mark.parametrize(
    "issuer",
    [
        "https://accounts.example",
        "https://a.b.accounts.example",
        "https://beta.accounts.example.attacker.example",
        "https://betaaccounts.example",
        "http://beta.accounts.example",
        "https://beta.accounts.example/",
        "https://beta.accounts.example?x",
        "https://x@beta.accounts.example",
        "https://beta.accounts401.example",
        "https://beta.accountsxexample",
    ],
)
def test_issuers_that_are_not_below_the_domains(issuer: str) -> None:
    """Python ``validate_issuer``: ``https``, no query, exactly one label before a domain of the binding."""
    known = Identified(library(issuer))
    with pytest.raises(InvalidToken, match="issuer"):
        holds(verifier(identity(hosts=DOMAINS), library(), identified=known), token(header(), claims(iss=issuer)))
    assert known.sent == []


def test_tenants_below_the_domains_are_not_trusted_where_headers_cannot_be_sent() -> None:
    known = library(OTHER)
    with pytest.raises(InvalidToken, match="issuer"):
        holds(verifier(identity(hosts=DOMAINS), known), token(header(), claims(iss=OTHER)))
    assert known.asked == []


@pytest.mark.parametrize(
    "changes", [{"app_tid": GONE}, {"app_tid": "a\r\nb"}, {"app_tid": 1}, {"azp": "x y"}, {"azp": None}], ids=str
)
def test_nothing_malformed_goes_into_headers(changes: dict[str, Any]) -> None:
    """Java ``getJwksUri``: an issuer other than the binding's needs ``app_tid``."""
    known = Identified(library(OTHER))
    with pytest.raises(InvalidToken):
        holds(
            verifier(identity(hosts=DOMAINS), library(), identified=known),
            token(header(), claims(iss=OTHER, **changes)),
        )
    assert known.sent == []
