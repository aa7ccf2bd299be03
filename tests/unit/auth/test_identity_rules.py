"""The rules of Identity Authentication tokens, each with its source as in ``test_xsuaa_rules``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from service.auth.issuers import Reading
from service.domain.errors import InvalidToken, KeysUnavailable, RuntimeTimeout
from tests.rows import each_row
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


class Identified(Library):
    """A server that gives its keys only to clients of these tenants, as it knows them by the headers."""

    def __init__(self, known: Library, *tenants: str) -> None:
        super().__init__(known.documents)
        self.tenants = tenants or ("tenant-1",)
        self.sent: list[dict[str, str]] = []
        self.silent = False

    def __call__(self, url: str, timeout: float, max_bytes: int, headers: Mapping[str, str]) -> bytes:
        self.sent.append(dict(headers))
        if self.silent:
            raise RuntimeTimeout
        known = headers.get("x-app_tid") in self.tenants and headers.get("x-client_id") == "client-uuid"
        return super().__call__(url if known else "unknown tenant", timeout, max_bytes, headers)


OWN = {"x-app_tid": "tenant-1", "x-client_id": "client-uuid", "x-azp": "client-uuid"}


def test_tenant_subject_and_groups() -> None:
    """roles.md and the issue: ``app_tid`` is the tenant, ``groups`` what an administrator assigned."""
    principal = holds(verifier(identity(), library()), token(header(), claims()))
    assert (principal.tenant, principal.subject, principal.issuer) == ("tenant-1", "ada", IDENTITY_ISSUER)
    assert principal.has("scenarios.metrics.read")


def test_the_tenant_of_old() -> None:
    """Python ``validate_signature``: ``zone_uuid`` where there is no ``app_tid``."""
    old = token(header(), claims(app_tid=GONE, zone_uuid="tenant-0"))
    assert holds(verifier(identity(), library()), old).tenant == "tenant-0"


@each_row(
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
)
def test_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidToken):
        holds(verifier(identity(), library()), token(header(), claims(**changes)))


def test_a_domain_of_the_customers_own() -> None:
    """Python ``get_issuer``: ``ias_iss`` goes before ``iss``."""
    own = token(header(), claims(iss="https://login.customer.example", ias_iss=IDENTITY_ISSUER))
    assert holds(verifier(identity(), library()), own).issuer == IDENTITY_ISSUER


@each_row("issuer", [IDENTITY_ISSUER, OTHER])
@each_row(
    "changes, expected",
    [
        ({}, OWN),
        ({"azp": "caller"}, {**OWN, "x-azp": "caller"}),
        ({"azp": GONE}, {"x-app_tid": "tenant-1", "x-client_id": "client-uuid"}),
        ({"azp_app_tid": "tenant-9"}, {**OWN, "x-azp_app_tid": "tenant-9"}),
        ({"app_tid": GONE, "zone_uuid": "tenant-1"}, OWN),
    ],
)
def test_the_key_server_is_told_tenant_client_and_caller(
    issuer: str, changes: dict[str, Any], expected: dict[str, str]
) -> None:
    """The same of every issuer [Java ``SapIdJwtSignatureValidator``]: keys come only from a server that knows all three."""
    known = Identified(library(IDENTITY_ISSUER, OTHER))
    checked = verifier(identity(hosts=DOMAINS), known)
    assert holds(checked, token(header(), claims(iss=issuer, **changes))).issuer == issuer
    assert known.sent == [expected, expected]


@pytest.mark.parametrize("issuer", [IDENTITY_ISSUER, OTHER], ids=["the binding's own", "another"])
def test_a_tenant_that_the_key_server_does_not_know_is_refused(issuer: str) -> None:
    """A tenant, or a caller of it, that the server refuses: also where its keys are known from another tenant."""
    known = Identified(library(IDENTITY_ISSUER, OTHER))
    checked = verifier(identity(hosts=DOMAINS, zone="tenant-1"), known)
    for number in range(2):
        with pytest.raises(InvalidToken):
            holds(checked, token(header(), claims(iss=issuer, app_tid="tenant-2", jti=str(number))))
        holds(checked, token(header(), claims(iss=issuer, jti=str(number))))


def test_an_own_token_that_names_no_tenant_is_asked_for_without_headers() -> None:
    """@sap/xssec 3.3.3: tenant and client are sent together or not at all."""
    known = library()
    checked = verifier(identity(reading=Reading(tenant="iss")), known)
    assert holds(checked, token(header(), claims(app_tid=GONE))).tenant == IDENTITY_ISSUER
    with pytest.raises(InvalidToken):
        holds(checked, token(header(), claims(iss=OTHER, app_tid=GONE)))


def test_the_keys_of_the_bindings_own_tenant_are_loaded_ahead() -> None:
    known = Identified(library())
    checked = verifier(identity(zone="tenant-1"), known)
    assert checked.keys_loaded() == {IDENTITY_ISSUER: False}
    holds(checked, token(header(), claims()))
    assert (checked.keys_loaded(), known.sent) == ({IDENTITY_ISSUER: True}, [OWN, OWN])
    assert verifier(identity(), known).keys_loaded() == {IDENTITY_ISSUER: True}


def test_a_server_that_does_not_answer_is_nobodys_fault() -> None:
    """Of a tenant that names no one known: ``503``, not ``401``, and known tenants go on."""
    known = Identified(library(), "tenant-1", "tenant-2")
    checked = verifier(identity(zone="tenant-1"), known)
    holds(checked, token(header(), claims()))
    known.silent = True
    with pytest.raises(KeysUnavailable):
        holds(checked, token(header(), claims(app_tid="tenant-2")))
    assert holds(checked, token(header(), claims(jti="again"))).tenant == "tenant-1"


@each_row(
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
        holds(verifier(identity(hosts=DOMAINS), known), token(header(), claims(iss=issuer)))
    assert known.sent == []


@each_row("issuer", [IDENTITY_ISSUER, OTHER])
@each_row(
    "changes",
    [
        {"app_tid": None},
        {"app_tid": "a\r\nb"},
        {"app_tid": 1},
        {"azp": "x y"},
        {"azp": None},
        {"azp_app_tid": "x\r\ny"},
        {"azp_app_tid": ["tenant-1"]},
        {"azp_app_tid": "t" * 129},
    ],
)
def test_nothing_malformed_goes_into_headers(issuer: str, changes: dict[str, Any]) -> None:
    known = Identified(library(IDENTITY_ISSUER, OTHER))
    with pytest.raises(InvalidToken, match="malformed"):
        holds(verifier(identity(hosts=DOMAINS), known), token(header(), claims(iss=issuer, **changes)))
    assert known.sent == []


def test_an_issuer_other_than_the_bindings_needs_a_tenant() -> None:
    """Java ``getJwksUri``."""
    known = Identified(library(OTHER))
    with pytest.raises(InvalidToken, match="missing"):
        holds(verifier(identity(hosts=DOMAINS), known), token(header(), claims(iss=OTHER, app_tid=GONE)))
    assert known.sent == []


@pytest.mark.parametrize(
    "changes", [{"scp": ["scenarios.metrics.read"]}, {"roles": ["scenario_metric_viewer"]}], ids=str
)
def test_it_is_an_openid_connect_issuer_with_scopes_and_roles(changes: dict[str, Any]) -> None:
    principal = holds(verifier(identity(), library()), token(header(), claims(groups=GONE, **changes)))
    assert principal.scopes == {"scenarios.metrics.read"}
