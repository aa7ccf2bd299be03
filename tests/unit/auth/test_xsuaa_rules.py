"""The rules of XSUAA tokens as a table of cases, each with where the rule is from, in our own words.

Sources: "Java" is SAP's open-source ``cloud-security-services-integration-library`` (class named), "Python" its
``cloud-pysec``, "roles.md" this project's facts. Where they differ, or are laxer than RFC 8725, the case says so.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from service.auth.issuers import Reading
from service.domain.access import Principal
from service.domain.errors import InvalidToken
from tests.rows import each_row
from tests.unit.auth.forge import GONE, b64, compact, ec_key, header, jwk, members, pem, rsa_key, token
from tests.unit.auth.forge import claims as plain
from tests.unit.auth.worlds import XSUAA_DOMAIN, XSUAA_ISSUER, Library, holds, identity, oidc, verifier, xsuaa

ZONE = "11111111-2222-3333-4444-555555555555"
KEYS = f"https://{XSUAA_DOMAIN}/token_keys?zid={ZONE}"
APP, CLIENT = "launchpad!t1", "sb-launchpad!t1"
BROKER = frozenset({"sb-master!b123", "master!b123"})
METRICS = f"{APP}.scenarios.metrics.read"


def claims(**changes: Any) -> dict[str, Any]:
    base = {
        "iss": XSUAA_ISSUER,
        "zid": ZONE,
        "sub": "user-uuid",
        "user_name": "ada",
        "cid": CLIENT,
        "azp": CLIENT,
        "aud": [APP, "openid"],
        "scope": ["openid", METRICS],
        "grant_type": "authorization_code",
        "ext_attr": {"zdn": "acme", "subaccountid": ZONE, "enhancer": "XSUAA"},
        "xs.system.attributes": {"xs.rolecollections": [], "xs.saml.groups": []},
    }
    return members(plain(**base), changes)


def library() -> Library:
    return Library({KEYS: compact({"keys": [jwk(rsa_key("rsa-1"), "rsa-1", alg="RS256", value="ignored")]})})


def verified(
    payload: dict[str, Any], *, key: Any = None, head: dict[str, Any] | None = None, **binding: Any
) -> Principal:
    checked = verifier(xsuaa(**binding), library())
    return holds(checked, token(head or header(jku=f"https://acme.{XSUAA_DOMAIN}/token_keys"), payload, key))


@dataclass(frozen=True)
class Case:
    rule: str
    source: str
    good: bool
    changes: dict[str, Any]
    binding: dict[str, Any] = field(default_factory=dict)


NO_CLIENT = {"cid": "sb-other!t2", "azp": "sb-other!t2"}
AS_BROKER = {"binding": {"audiences": BROKER}}
AUDIENCE = "Java JwtAudienceValidator"
ISSUING = "Java XsuaaJwtIssuerValidator and JwtIssuerValidator"
ZONING = "Java XsuaaJwtSignatureValidator, composeZidQueryParameter"
CID_FIRST = "@sap/xssec: cid is the client of an XSUAA token"
OF_OLD = "Python and @sap/xssec check the key server's domain, not iss"
STRICTER = "stricter than SAP's libraries, RFC 7519 4.1.3"

CASES = (
    Case("the application's name is an audience", AUDIENCE, True, {"aud": [APP], **NO_CLIENT}),
    Case("the client id is an audience", AUDIENCE, True, {"aud": [CLIENT], **NO_CLIENT}),
    Case("one audience as a string", "RFC 7519 4.1.3", True, {"aud": APP, **NO_CLIENT}),
    Case("one of several audiences", AUDIENCE, True, {"aud": ["openid", "uaa", APP], **NO_CLIENT}),
    Case("an audience counts by what is before its first dot", AUDIENCE, True, {"aud": [f"{APP}.data.x"], **NO_CLIENT}),
    Case("and is trimmed", AUDIENCE, True, {"aud": [f" {APP} .data"], **NO_CLIENT}),
    Case("one without a dot is not", AUDIENCE, False, {"aud": [f" {APP} "], **NO_CLIENT}),
    Case(
        "a client id counts so as well",
        "Python test_jwt_audience_validator",
        True,
        {"aud": [f"{CLIENT}.data"], **NO_CLIENT},
    ),
    Case("nothing before the dot is no audience", AUDIENCE, False, {"aud": [".data"], **NO_CLIENT}),
    Case("our name behind the dot", AUDIENCE, False, {"aud": [f"other.{APP}"], **NO_CLIENT}),
    Case("our name as a part of another", AUDIENCE, False, {"aud": [f"x{APP}", f"{APP}2", "launchpad"], **NO_CLIENT}),
    Case("another application", AUDIENCE, False, {"aud": ["other!t2", "openid"], **NO_CLIENT}),
    Case("the client that asked counts as an audience", "Java: azp is added", True, {"aud": ["openid"]}),
    Case("cid where there is no azp", "Java Token.getClientId", True, {"aud": ["openid"], "azp": GONE}),
    Case("azp where there is no cid", "Java Token.getClientId", True, {"aud": ["openid"], "cid": GONE}),
    Case("cid goes before azp", CID_FIRST, True, {"aud": ["openid"], "azp": "sb-other!t2"}),
    Case("azp does not stand in for another cid", CID_FIRST, False, {"aud": ["openid"], "cid": "sb-other!t2"}),
    Case("nor for a cid of another type", STRICTER, False, {"aud": ["openid"], "cid": [CLIENT]}),
    Case("nor for none", STRICTER, False, {"aud": ["openid"], "cid": None}),
    Case("a client of another type", STRICTER, False, {"aud": ["openid"], "azp": [CLIENT], "cid": GONE}),
    Case("no audience: scopes stand in", AUDIENCE, True, {"aud": [], **NO_CLIENT}),
    Case("no aud claim: scopes stand in", AUDIENCE, True, {"aud": GONE, **NO_CLIENT}),
    Case(
        "no audience, another's scopes",
        AUDIENCE,
        False,
        {"aud": [], "scope": ["other!t2.scenarios.metrics.read"], **NO_CLIENT},
    ),
    Case("no audience, our scope without a dot", AUDIENCE, False, {"aud": [], "scope": [APP], **NO_CLIENT}),
    Case("no audience, our scope as a part", AUDIENCE, False, {"aud": [], "scope": [f"x{METRICS}"], **NO_CLIENT}),
    Case("no audience, no scopes", AUDIENCE, False, {"aud": [], "scope": [], **NO_CLIENT}),
    Case("another audience: scopes do not stand in", AUDIENCE, False, {"aud": ["other!t2"], **NO_CLIENT}),
    Case("audiences of another type: scopes do not stand in", STRICTER, False, {"aud": [1]}),
    Case("an audience of another type beside ours", STRICTER, False, {"aud": [APP, 1]}),
    Case("an object as audience", STRICTER, False, {"aud": {APP: 1}}),
    Case("null as audience", STRICTER, False, {"aud": None}),
    Case(
        "a clone of the broker",
        "Java validateAudienceOfXsuaaBrokerClone",
        True,
        {"aud": ["sb-f7016e93!b446|master!b123"], **NO_CLIENT},
        **AS_BROKER,
    ),
    Case(
        "a clone of the broker as client",
        "Java, pull request 319 (user tokens without scopes)",
        True,
        {"aud": [], "scope": [], "cid": "sb-f7016e93!b446|master!b123", "azp": GONE},
        **AS_BROKER,
    ),
    Case(
        "a clone with something before a dot",
        AUDIENCE,
        True,
        {"aud": ["sb-f7016e93!b446|master!b123.x"], **NO_CLIENT},
        **AS_BROKER,
    ),
    Case(
        "a clone of another broker",
        "Java XsuaaJwtAudienceValidatorForCloneTokenTest",
        False,
        {"aud": ["sb-f7016e93!b446|other!b123"], **NO_CLIENT},
        **AS_BROKER,
    ),
    Case(
        "a clone of a broker whose name ends like ours",
        AUDIENCE,
        False,
        {"aud": ["sb-x!b4|remaster!b123"], **NO_CLIENT},
        **AS_BROKER,
    ),
    Case(
        "another clone's broker in front", AUDIENCE, False, {"aud": ["master!b123|sb-x!b4"], **NO_CLIENT}, **AS_BROKER
    ),
    Case("an application that is no broker has no clones", AUDIENCE, False, {"aud": [f"sb-x!b4|{APP}"], **NO_CLIENT}),
    Case("the issuer of another subdomain", ISSUING, True, {"iss": f"https://beta.{XSUAA_DOMAIN}/oauth/token"}),
    Case("the issuer at the domain itself", ISSUING, True, {"iss": f"https://{XSUAA_DOMAIN}/oauth/token"}),
    Case("a subdomain with digits and dashes", ISSUING, True, {"iss": f"https://a-1-b2.{XSUAA_DOMAIN}/oauth/token"}),
    *(
        Case(f"iss {issuer}", "stricter than " + ISSUING, False, {"iss": issuer})
        for issuer in (
            f"http://acme.{XSUAA_DOMAIN}/oauth/token",
            f"https://acme.{XSUAA_DOMAIN}",
            f"https://acme.{XSUAA_DOMAIN}/oauth/token/",
            f"https://acme.{XSUAA_DOMAIN}/oauth/token?x",
            f"https://acme.{XSUAA_DOMAIN}/oauth/token#x",
            f"acme.{XSUAA_DOMAIN}",
            f"https://acme.{XSUAA_DOMAIN}.attacker.example/oauth/token",
            f"https://acme{XSUAA_DOMAIN}/oauth/token",
            f"https://attacker.example/.{XSUAA_DOMAIN}/oauth/token",
            f"https://attacker.example#.{XSUAA_DOMAIN}/oauth/token",
            f"https://user@acme.{XSUAA_DOMAIN}/oauth/token",
            f"https://a.b.{XSUAA_DOMAIN}/oauth/token",
            f"https://.{XSUAA_DOMAIN}/oauth/token",
            f"https://{'a' * 64}.{XSUAA_DOMAIN}/oauth/token",
            f"https://acme.{XSUAA_DOMAIN}:8443/oauth/token",
            f"https://acme.{XSUAA_DOMAIN}/oauth/token\n",
            f"https://acme.{XSUAA_DOMAIN.replace('.', 'x')}/oauth/token",
            f"https://acme_.{XSUAA_DOMAIN}/oauth/token",
            f"https://acm\u0435.{XSUAA_DOMAIN}/oauth/token",
            f"https://acme.{XSUAA_DOMAIN}/x/../oauth/token",
            "",
            None,
            1,
            [XSUAA_ISSUER],
        )
    ),
    Case("the issuer of old", OF_OLD, True, {"iss": "http://acme.localhost:8080/uaa/oauth/token"}),
    *(
        Case(f"iss of old, {issuer}", "stricter than SAP's libraries", False, {"iss": issuer})
        for issuer in (
            "https://acme.localhost:8080/uaa/oauth/token",
            "http://localhost:8080/uaa/oauth/token",
            "http://.localhost:8080/uaa/oauth/token",
            "http://a.b.localhost:8080/uaa/oauth/token",
            f"http://{'a' * 64}.localhost:8080/uaa/oauth/token",
            "http://acme.localhost/uaa/oauth/token",
            "http://acme.localhost:80801/uaa/oauth/token",
            "http://acme.localhost:8080/oauth/token",
            "http://acme.localhost:8080/uaa/oauth/token/",
            "http://acme.localhost:8080/uaa/oauth/token\n",
            "http://acme.localhost:8080/uaa/oauth/token?x",
            "http://x@acme.localhost:8080/uaa/oauth/token",
            "http://acme.localhost.attacker.example:8080/uaa/oauth/token",
            "http://acme.LOCALHOST:8080/uaa/oauth/token",
            "http://acme_.localhost:8080/uaa/oauth/token",
            "http://acm\u0435.localhost:8080/uaa/oauth/token",
        )
    ),
    Case(
        "the issuer of old, of a zone that the domain does not know",
        OF_OLD,
        False,
        {"iss": "http://acme.localhost:8080/uaa/oauth/token", "zid": "another-zone"},
    ),
    *(
        Case(f"zid {zone!r}", "stricter than " + ZONING, False, {"zid": zone})
        for zone in (
            GONE,
            None,
            "",
            1,
            [ZONE],
            " ",
            f"{ZONE}&zid=x",
            f"{ZONE}#",
            f"{ZONE}/..",
            "../x",
            "a b",
            "a%20b",
            "\u00e9",
            "a" * 65,
            f"{ZONE}\n",
            "x@attacker.example",
            "?",
            "a.b",
        )
    ),
    Case("a zone that the issuer does not know", ZONING, False, {"zid": "another-zone"}),
)


def written(case: Case) -> str:
    return f"{case.rule} [{case.source}]"


@each_row("case", CASES)
def test_rule(case: Case) -> None:
    if case.good:
        assert verified(claims(**case.changes), **case.binding).tenant == ZONE
    else:
        with pytest.raises(InvalidToken):
            verified(claims(**case.changes), **case.binding)


def test_only_the_domain_of_the_binding_is_ever_asked() -> None:
    """Python ``_get_jku``: the key URL is made from ``uaadomain`` and ``zid``, whatever ``jku`` and ``iss`` say."""
    asked = library()
    checked = verifier(xsuaa(), asked)
    for jku in ("https://attacker.example/token_keys", f"https://{XSUAA_DOMAIN}.attacker.example", "file:///etc"):
        assert holds(checked, token(header(jku=jku), claims(jti=jku))).subject == "user-uuid"
    holds(checked, token(header(), claims(iss=f"https://beta.{XSUAA_DOMAIN}/oauth/token")))
    holds(checked, token(header(), claims(iss="http://acme.localhost:8080/uaa/oauth/token")))
    with pytest.raises(InvalidToken, match="signature"):
        holds(checked, token(header(), claims(iss="http://acme.localhost:8080/uaa/oauth/token"), rsa_key("rsa-2")))
    assert asked.asked == [KEYS]


def test_the_issuer_of_old_is_none_of_another_kind_of_issuer() -> None:
    of_old = token(header(), claims(iss="http://acme.localhost:8080/uaa/oauth/token", aud=["metric-resource"]))
    for trusted in (oidc(), identity(hosts=("localhost:8080",), scheme="http")):
        with pytest.raises(InvalidToken, match="issuer"):
            holds(verifier(trusted, library()), of_old)


def test_a_zone_has_its_own_keys() -> None:
    """A zone may bring keys of its own, so that those of one must not count for another."""
    other = KEYS.replace(ZONE, "other-zone")
    keys = Library({**library().documents, other: compact({"keys": [jwk(rsa_key("rsa-2"), "rsa-1")]})})
    checked = verifier(xsuaa(), keys)
    assert holds(checked, token(header(), claims())).tenant == ZONE
    assert holds(checked, token(header(), claims(zid="other-zone"), rsa_key("rsa-2"))).tenant == "other-zone"
    for zone, key in (("other-zone", "rsa-1"), (ZONE, "rsa-2")):
        with pytest.raises(InvalidToken, match="signature"):
            holds(checked, token(header(), claims(zid=zone), rsa_key(key)))


def test_the_key_of_the_binding_counts_where_no_other_can_be_had() -> None:
    """Python ``_validate_token``, Java ``XsuaaJwtSignatureValidator``: ``verificationkey`` is the last resort."""
    binding = xsuaa(static_key=pem(rsa_key("rsa-1")).decode())
    checked = verifier(binding, Library({}))
    for kid in ("rsa-1", "key-id-1", GONE):
        assert holds(checked, token(header(kid=kid), claims())).tenant == ZONE
    with pytest.raises(InvalidToken, match="signature"):
        holds(checked, token(header(), claims(), rsa_key("rsa-2")))
    with pytest.raises(InvalidToken):
        holds(checked, token(header(alg="HS256"), claims(), pem(rsa_key("rsa-1")), "HS256"))


def test_a_token_without_a_key_id_needs_a_set_with_one_key_that_fits() -> None:
    """Java ``XsuaaJwtSignatureValidator`` takes the binding's key then, whatever the set has: laxer than this."""
    binding, unnamed = xsuaa(static_key=pem(rsa_key("rsa-1")).decode()), token(header(kid=GONE), claims())
    one, two, other = jwk(rsa_key("rsa-1"), "rsa-1"), jwk(rsa_key("rsa-2"), "rsa-2"), jwk(ec_key("ec-1"), "ec-1")
    assert holds(verifier(binding, Library({KEYS: compact({"keys": [one, other]})})), unnamed).tenant == ZONE
    for keys in ([one, two], [one, one], [other], [two]):
        with pytest.raises(InvalidToken):
            holds(verifier(binding, Library({KEYS: compact({"keys": keys})})), unnamed)


def test_the_key_of_the_binding_does_not_stand_in_for_a_key_that_is_there() -> None:
    binding = xsuaa(static_key=pem(rsa_key("rsa-2")).decode())
    with pytest.raises(InvalidToken, match="signature"):
        holds(verifier(binding, library()), token(header(), claims(), rsa_key("rsa-2")))


@each_row(
    "scopes, metrics",
    [
        ([METRICS], True),
        (METRICS, True),
        (f"openid {METRICS}", True),
        (["scenarios.metrics.read"], False),
        ([f"other!t2.{METRICS}"], False),
        ([f"x{METRICS}"], False),
        ([f"{METRICS}.x"], False),
        ([f"{APP}x.scenarios.metrics.read"], False),
        ([f"{APP}.{METRICS}"], False),
        ([METRICS.upper()], False),
        ([f"{METRICS} "], False),
        ([f"openid {METRICS}"], False),
        (["other!t2.scenarios.metrics.read"], False),
        ([f"{APP}."], False),
        ([[METRICS]], False),
        ({METRICS: True}, False),
        (None, False),
    ],
)
def test_a_scope_counts_behind_our_prefix_alone(scopes: Any, metrics: bool) -> None:
    """roles.md: "a scope of another application is not ours, and one that merely contains ours is another"."""
    assert verified(claims(scope=scopes)).has("scenarios.metrics.read") is metrics


@each_row(
    "changes",
    [
        {"scp": [METRICS]},
        {"scp": METRICS},
        {"scp": ["scenarios.metrics.read"]},
        {"roles": ["mloperations_viewer", f"{APP}.mloperations_viewer"]},
        {"roles": "scenario_metric_viewer"},
        {"groups": ["ailaunchpad_mloperations_viewer"]},
    ],
)
def test_what_openid_connect_issuers_grant_by_grants_nothing_here(changes: dict[str, Any]) -> None:
    """XSUAA has neither ``scp`` nor ``roles`` nor ``groups``: nobody but itself may grant, in ``scope``."""
    assert verified(claims(scope=["openid"], **changes)).scopes == frozenset()
    named = Reading(tenant="zid", scope_prefix=f"{APP}.", roles="roles")
    assert verified(claims(scope=["openid"], **changes), reading=named).scopes == frozenset()


def test_a_client_without_a_user() -> None:
    """Tokens of ``client_credentials`` name the client in ``sub``, of old only in ``cid``."""
    assert verified(claims(sub=CLIENT, user_name=GONE)).subject == CLIENT
    assert verified(claims(sub=GONE, user_name=GONE)).subject == CLIENT
    odd: tuple[Any, ...] = (None, 1, "", [])
    for wrong in odd:
        with pytest.raises(InvalidToken, match=r"^the token names no subject$"):
            verified(claims(sub=wrong))


def test_role_collections_of_the_token() -> None:
    named = {"xs.rolecollections": ["ailaunchpad_mloperations_viewer"], "xs.saml.groups": []}
    principal = verified(claims(scope=["openid"], **{"xs.system.attributes": named}))
    assert {"scenarios.metrics.read", "scenarios.executions.read"} <= principal.scopes


def test_readiness_waits_for_the_zone_of_the_binding() -> None:
    asked = library()
    checked = verifier(xsuaa(zone=ZONE), asked)
    assert checked.keys_loaded() == {XSUAA_ISSUER: False}
    holds(checked, token(header(), claims()))
    assert checked.keys_loaded() == {XSUAA_ISSUER: True}
    assert verifier(xsuaa(), asked).keys_loaded() == {XSUAA_ISSUER: True}


def test_the_name_of_the_issuer_in_the_key_set_is_not_trusted() -> None:
    document = compact(
        {"iss": "https://attacker.example", "keys": [jwk(rsa_key("rsa-1"), "rsa-1", jku="x", n2=b64(b"x"))]}
    )
    assert holds(verifier(xsuaa(), Library({KEYS: document})), token(header(), claims())).tenant == ZONE
