"""Every good variant holds, so that the refusals elsewhere are for the right reason."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from service.domain.errors import InvalidToken
from service.settings import AuthSettings
from testing.clocks import Clock
from tests.rows import each_row
from tests.unit.auth import forge
from tests.unit.auth.forge import (
    GONE,
    NOW,
    claims,
    compact,
    ec_key,
    ed_key,
    header,
    jwk,
    members,
    rsa_key,
    token,
    with_signature,
)
from tests.unit.auth.forged import P256_ORDER
from tests.unit.auth.key_sets import key_set
from tests.unit.auth.worlds import KEYS_URL, Library, holds, oidc, verifier

ISSUER = Library({KEYS_URL: key_set()})
PLAIN = compact(claims()).decode()
HEADERS: dict[str, dict[str, Any]] = {
    "plain": {},
    "no typ": {"typ": GONE},
    "typ in lower case": {"typ": "jwt"},
    "RFC 9068": {"typ": "at+jwt"},
    "RFC 9068 in full": {"typ": "application/at+jwt"},
    "RFC 9068, any case": {"typ": "AT+JWT"},
    "members nobody needs": {"x": {"y": [1]}, "ver": 1},
    "jku that is not followed": {"jku": "https://attacker.example/keys"},
    "jwk that is not used": {"jwk": jwk(rsa_key("attacker"), "rsa-1")},
    "x5u, x5c, x5t": {"x5u": "https://attacker.example", "x5c": ["AA"], "x5t": "AA"},
}
CLAIMS: dict[str, dict[str, Any]] = {
    "audiences": {"aud": ["another", forge.AUDIENCE]},
    "one audience in a list": {"aud": [forge.AUDIENCE]},
    "fractions of a second": {"exp": NOW + 0.5, "iat": NOW - 0.5, "nbf": NOW - 0.25},
    "exponent": {"exp": 1.9e9},
    "ends in 9999": {"exp": 253402300799},
    "expired within the leeway": {"exp": NOW - 59.9},
    "not before, within the leeway": {"nbf": NOW + 59.9},
    "issued within the leeway": {"iat": NOW + 59.9},
    "no iat": {"iat": GONE},
    "issued in 1970": {"iat": 0, "nbf": 0},
    "a list of scopes": {"scope": ["scenarios.metrics.read", "openid"]},
    "scp": {"scope": GONE, "scp": ["scenarios.metrics.read"]},
    "other letters": {"name": "Ada \u00e9\u4e2d\U0001f600", "\u00fc": 1},
    "deep, not too deep": {"x": [[[[[[[[[[{"a": [1]}]]]]]]]]]]},
    "a long one": {"x": "x" * 10_000},
    "large numbers": {"x": 10**300, "y": 1.5e308},
}
TEXTS = {
    "white space": PLAIN.replace(",", " ,\n\t").replace(":", " : ", 1),
    "escapes": PLAIN.replace('"sub"', '"s\\u0075b"'),
    "a pair of surrogates": PLAIN[:-1] + ',"x":"\\ud83d\\ude00"}',
    "the same name on two levels": PLAIN[:-1] + ',"x":{"sub":"eve","exp":1},"y":[{"a":1},{"a":1}]}',
    "other way round": "{" + ",".join(reversed(PLAIN[1:-1].split(","))) + "}",
}


@each_row("name", HEADERS)
def test_header(name: str) -> None:
    assert holds(verifier(oidc(), ISSUER), token(header(**HEADERS[name]), claims())).subject == "ada"


@each_row("name", CLAIMS)
def test_claims(name: str) -> None:
    principal = holds(verifier(oidc(), ISSUER), token(header(), claims(**CLAIMS[name])))
    assert (principal.subject, principal.tenant, principal.issuer) == ("ada", forge.ISSUER, forge.ISSUER)
    assert principal.has("scenarios.metrics.read")


@each_row("name", TEXTS)
def test_payload_text(name: str) -> None:
    assert holds(verifier(oidc(), ISSUER), token(header(), TEXTS[name].encode())).subject == "ada"


@each_row("scheme", ["Bearer ", "bearer ", "BEARER ", "bEaReR ", "Bearer   "])
def test_scheme_in_any_case(scheme: str) -> None:
    good = token(header(), claims())
    principal = verifier(oidc(), ISSUER).verify(scheme + good)
    assert principal.token == good


ALGORITHMS: dict[str, forge.Key] = {
    **{name: rsa_key("rsa-1") for name in ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")},
    "EdDSA": ed_key("good"),
    **{name: ec_key(name, f"P-{size}") for name, size in (("ES256", 256), ("ES384", 384), ("ES512", 521))},
}


@each_row("algorithm", ALGORITHMS)
def test_algorithm_that_is_accepted_holds_and_else_does_not(algorithm: str) -> None:
    key = ALGORITHMS[algorithm]
    library = Library({KEYS_URL: compact({"keys": [jwk(key, "k")]})})
    good = token(header(alg=algorithm, kid="k"), claims(), key, algorithm)
    assert holds(verifier(oidc(), library, algorithms=[algorithm]), good).subject == "ada"
    assert holds(verifier(oidc(), library, algorithms=list(ALGORITHMS)), good).subject == "ada"
    others = [name for name in ALGORITHMS if name != algorithm]
    with pytest.raises(InvalidToken, match="algorithm"):
        holds(verifier(oidc(), library, algorithms=others), good)


@each_row("algorithm", ["HS256", "none", "Ed25519", "eddsa", "ES256K", "", "rs256"])
def test_algorithm_that_cannot_be_configured(algorithm: str) -> None:
    accepted = r"RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA"
    with pytest.raises(ValueError, match=f"^only {accepted} are accepted as algorithms$"):
        verifier(oidc(), ISSUER, algorithms=["RS256", algorithm])


def test_the_other_half_of_an_elliptic_signature_is_one_too() -> None:
    """ECDSA has two signatures for each: (r, s) and (r, n - s). RFC 7518 asks for neither."""
    good = forge.es256()
    head, payload, end = good.split(".")
    raw = base64.urlsafe_b64decode(end + "==")
    other = raw[:32] + (P256_ORDER - int.from_bytes(raw[32:], "big")).to_bytes(32, "big")
    checked = verifier(oidc(), ISSUER)
    assert holds(checked, good) == holds(checked, good)
    assert holds(checked, f"{head}.{payload}.{forge.b64(other)}").subject == "ada"


def test_exponent_three_with_a_true_signature() -> None:
    key = rsa_key("e3", exponent=3)
    assert holds(verifier(oidc(), ISSUER), token(header(kid="rsa-e3"), claims(), key)).subject == "ada"


def test_no_key_id_where_one_key_would_do() -> None:
    library = Library({KEYS_URL: compact({"keys": [jwk(rsa_key("rsa-1"), "a"), jwk(ec_key("ec-1"), "b")]})})
    checked = verifier(oidc(), library)
    assert holds(checked, token(header(kid=GONE), claims())).subject == "ada"
    assert holds(checked, forge.es256(kid=GONE)).subject == "ada"


def test_an_edwards_key_of_either_curve() -> None:
    """RFC 8037: the algorithm is ``EdDSA`` for both, the key says which curve."""
    checked = verifier(oidc(), ISSUER)
    assert holds(checked, forge.eddsa()).subject == "ada"
    other = token(header(alg="EdDSA", kid="ed-448"), claims(), ed_key("ed-448", "Ed448"), "EdDSA")
    assert holds(checked, other).subject == "ada"


def test_an_edwards_key_is_not_accepted_unless_it_is_configured() -> None:
    with pytest.raises(InvalidToken, match="algorithm"):
        holds(verifier(oidc(), ISSUER, algorithms=AuthSettings().algorithms), forge.eddsa())


@pytest.mark.parametrize("kid", [None, GONE])
def test_null_is_no_key_id_in_a_key_set(kid: Any) -> None:
    library = Library(
        {KEYS_URL: compact({"keys": [members(jwk(rsa_key("rsa-1"), None), {"kid": kid}), jwk(ec_key("ec-1"), "b")]})}
    )
    checked = verifier(oidc(), library)
    assert holds(checked, token(header(kid=GONE), claims())).subject == "ada"
    for named in ("", "null", "None", "rsa-1"):
        with pytest.raises(InvalidToken, match="key"):
            holds(checked, token(header(kid=named), claims()))
    with pytest.raises(InvalidToken, match="key id"):
        holds(checked, token(header(kid=None), claims()))


def test_no_key_id_where_two_keys_would_do() -> None:
    keys = [{**jwk(rsa_key("rsa-1"), None), "kid": None}, jwk(rsa_key("rsa-2"), "b")]
    with pytest.raises(InvalidToken, match="key"):
        holds(verifier(oidc(), Library({KEYS_URL: compact({"keys": keys})})), token(header(kid=GONE), claims()))


def padded_to(length: int) -> str:
    """A good token of exactly so many bytes; base64 leaves one length in four out, so the header is padded too."""
    base = len(token(header(x=""), claims(x="")))
    for in_header in range(4):
        for in_claims in range((length - base) * 3 // 4 - 6, (length - base) * 3 // 4 + 1):
            head, payload = header(x="x" * in_header), claims(x="x" * in_claims)
            if len(with_signature(head, payload, bytes(256))) == length:
                return token(head, payload)
    raise AssertionError(length)


@each_row("longest", [1024, 16384, 65536])
def test_the_longest_token_that_is_looked_at(longest: int) -> None:
    good = padded_to(longest)
    checked = verifier(oidc(), ISSUER, max_bytes=longest)
    assert holds(checked, good) == holds(checked, good)
    with pytest.raises(InvalidToken, match=f"longer than {longest} bytes"):
        holds(checked, padded_to(longest + 1))
    assert holds(verifier(oidc(), ISSUER, max_bytes=longest + 1), padded_to(longest + 1)).subject == "ada"


def test_two_keys_with_the_same_id() -> None:
    keys = [jwk(rsa_key("rsa-2"), "rsa-1"), jwk(rsa_key("rsa-1"), "rsa-1")]
    library = Library({KEYS_URL: compact({"keys": keys})})
    assert holds(verifier(oidc(), library), token(header(), claims())).subject == "ada"


def test_leeway_is_what_is_configured() -> None:
    late = token(header(), claims(exp=NOW - 5))
    assert holds(verifier(oidc(), ISSUER, leeway=6), late).expires_at == NOW + 1
    assert holds(verifier(oidc(), ISSUER, leeway=6), token(header(), claims(exp=NOW + 1))).expires_at == NOW + 1
    with pytest.raises(InvalidToken, match="expired"):
        holds(verifier(oidc(), ISSUER, leeway=0), late)


def test_several_issuers_each_with_its_own_keys_audience_and_claims() -> None:
    other = "https://other.example"
    library = Library({KEYS_URL: key_set(), "u": compact({"keys": [jwk(rsa_key("rsa-2"), "rsa-1")]})})
    both = [oidc(), oidc(issuer=other, jwks_url="u", audiences=frozenset({"b"}))]
    checked = verifier(both, library)
    assert holds(checked, token(header(), claims())).issuer == forge.ISSUER
    assert holds(checked, token(header(), claims(iss=other, aud="b"), rsa_key("rsa-2"))).tenant == other
    for wrong in (
        token(header(), claims(iss=other, aud="b")),
        token(header(), claims(), rsa_key("rsa-2")),
        token(header(), claims(iss=other), rsa_key("rsa-2")),
        token(header(), claims(aud="b")),
    ):
        with pytest.raises(InvalidToken):
            holds(checked, wrong)


def test_a_remembered_token_ends_with_its_exp() -> None:
    clock = Clock(forge.NOW)
    checked = verifier(oidc(), ISSUER, clock=clock)
    good = token(header(), claims(exp=NOW + 100))
    first = holds(checked, good)
    clock.pass_(99)
    assert holds(checked, good) is first
    clock.pass_(2)
    assert holds(checked, good) is not first
    clock.pass_(60)
    with pytest.raises(InvalidToken, match="expired"):
        holds(checked, good)


def test_a_principal_does_not_show_its_token() -> None:
    good = token(header(), claims())
    assert good not in repr(holds(verifier(oidc(), ISSUER), good))
