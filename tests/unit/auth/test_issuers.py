"""Names of zones, tenants and clients that go into URLs and headers, and what is loaded ahead."""

from typing import Any

import pytest

from service.auth.issuers import Dialect, KeySource, Reading, TrustedIssuer, header_word, zone_id
from tests.rows import each_row

WORD = "must be 1 to 128 letters, digits or one of _ . : | ! -"


@each_row("zone", ["a", "A-b_9", "z" * 64])
def test_a_zone(zone: str) -> None:
    assert zone_id(zone) == zone


@each_row("zone", [None, 1, "", "z" * 65, "a.b", "a/b", "a&b", "a b", "a\n", "\xe4"])
def test_no_zone(zone: object) -> None:
    with pytest.raises(ValueError, match=r"^must be 1 to 64 letters, digits, _ or -$"):
        zone_id(zone)


@each_row("word", ["a", "sb-a_b!b1|c.d:9", "w" * 128])
def test_a_word(word: str) -> None:
    assert header_word(word) == word


@each_row("word", [None, 1, "", "w" * 129, "a b", "a\r\nb", "a\n", "a,b", "\xe4"])
def test_no_word(word: object) -> None:
    with pytest.raises(ValueError) as refused:
        header_word(word)
    assert str(refused.value) == WORD


def issuer(dialect: Dialect, **more: Any) -> TrustedIssuer:
    return TrustedIssuer(dialect, frozenset({"b", "a"}), Reading(), **more)


IDENTITY = "https://t.accounts.example"
BOUND = {"issuer": IDENTITY, "hosts": ("accounts.example",)}
XSUAA = {"issuer": "https://s.uaa.example/oauth/token", "hosts": ("uaa.example", "other.example")}


@each_row(
    "trusted, source",
    [
        (issuer(Dialect.OIDC), None),
        (issuer(Dialect.OIDC, issuer="https://i.example"), KeySource("https://i.example", discover=True)),
        (issuer(Dialect.OIDC, issuer="https://i.example", jwks_url="https://k"), KeySource("https://k")),
        (issuer(Dialect.XSUAA, **XSUAA), None),
        (issuer(Dialect.XSUAA, **XSUAA, zone="z"), KeySource("https://uaa.example/token_keys?zid=z")),
        (issuer(Dialect.XSUAA, **XSUAA, zone="z", scheme="http"), KeySource("http://uaa.example/token_keys?zid=z")),
        (issuer(Dialect.IDENTITY, **BOUND), None),
        (
            issuer(Dialect.IDENTITY, **BOUND, zone="t"),
            KeySource(IDENTITY, True, (("x-app_tid", "t"), ("x-client_id", "a"), ("x-client_id", "b"), ("x-azp", "a"))),
        ),
    ],
)
def test_what_is_loaded_ahead(trusted: TrustedIssuer, source: KeySource | None) -> None:
    assert trusted.first_source == source


def test_an_issuer_is_named_by_its_url_or_its_first_domain() -> None:
    assert issuer(Dialect.OIDC, issuer="https://i.example").name == "https://i.example"
    assert issuer(Dialect.XSUAA, hosts=("uaa.example", "other.example")).name == "https://uaa.example"
    assert issuer(Dialect.IDENTITY, hosts=("a.example",), scheme="http").name == "http://a.example"


def test_domains_say_nothing_where_the_issuer_is_no_binding() -> None:
    trusted = issuer(Dialect.OIDC, issuer="https://i.example", hosts=("i.example",))
    assert trusted.issued({"iss": "https://i.example"}) == "https://i.example"
    assert trusted.issued({"iss": "https://a.i.example"}) is None
