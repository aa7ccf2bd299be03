"""What is fetched for the keys of an issuer, when, and under which name it is logged."""

import json
from collections.abc import Mapping

import pytest

from service.auth.issuer_keys import IssuerKeys
from service.auth.issuers import Dialect, Reading, TrustedIssuer
from service.auth.key_rings import FETCH_BYTES, FETCH_SECONDS
from service.auth.tokens import Token
from service.domain.errors import InvalidToken, KeysUnavailable, RuntimeTimeout
from testing.clocks import Clock
from testing.waiting import eventually
from tests.unit.auth.forge import pem, rsa_key
from tests.unit.auth.key_sets import key_set

URL = "https://issuer.example/keys"
TRUSTED = TrustedIssuer(Dialect.OIDC, frozenset({"us"}), Reading(), issuer="https://issuer.example", jwks_url=URL)


def test_keys_are_fetched_from_their_url_and_again_when_they_are_four_minutes_old(
    keys_log: pytest.LogCaptureFixture,
) -> None:
    asked: list[tuple[str, float, int, Mapping[str, str]]] = []
    clock = Clock()

    def fetch(url: str, seconds: float, size: int, headers: Mapping[str, str]) -> bytes:
        asked.append((url, seconds, size, headers))
        return key_set()

    keys = IssuerKeys(TRUSTED, fetch, clock=clock)
    keys.refresh()
    eventually(lambda: keys.loaded)
    clock.pass_(239)
    keys.refresh()
    assert asked == [(URL, FETCH_SECONDS, FETCH_BYTES, {})]
    clock.pass_(1)
    eventually(lambda: keys.refresh() or len(asked) == 2)  # the first fetch may not have ended when its keys are there
    assert asked[1] == asked[0]
    eventually(lambda: [getattr(record, "issuer", None) for record in keys_log.records] == [URL])


def test_a_discovery_document_and_the_keys_it_names_share_five_seconds() -> None:
    issuer, clock, asked = "https://issuer.example", Clock(), list[tuple[str, float]]()

    def fetch(url: str, seconds: float, *_: object) -> bytes:
        asked.append((url, seconds))
        clock.pass_(3)
        return json.dumps({"issuer": issuer, "jwks_uri": URL}).encode() if len(asked) == 1 else key_set()

    keys = IssuerKeys(TrustedIssuer(Dialect.OIDC, frozenset({"us"}), Reading(), issuer=issuer), fetch, clock=clock)
    keys.refresh()
    eventually(lambda: keys.loaded)
    assert asked == [(f"{issuer}/.well-known/openid-configuration", FETCH_SECONDS), (URL, FETCH_SECONDS - 3)]


ZONED = TrustedIssuer(Dialect.XSUAA, frozenset({"us"}), Reading(), hosts=("uaa.example",))
STATIC = TrustedIssuer(
    Dialect.XSUAA,
    frozenset({"us"}),
    Reading(),
    hosts=("uaa.example",),
    static_key=pem(rsa_key("of the binding")).decode(),
)


def of_zone(zone: object, key_id: str | None = "rsa-1") -> Token:
    return Token("", "RS256", key_id, {"zid": zone})


def test_the_key_of_the_binding_stands_in_for_a_key_id_that_is_not_in_the_set() -> None:
    keys = IssuerKeys(STATIC, lambda *_: key_set())
    own = keys.candidates(of_zone("z", "another"), "i").keys
    assert [key.key_id for key in own] == [None]
    assert [key.key_id for key in keys.candidates(of_zone("z"), "i").keys] == ["rsa-1"]
    assert keys.candidates(of_zone("z", None), "i").keys == []


def test_keys_of_a_zone_are_fetched_ahead_once_one_has_verified_a_token() -> None:
    asked: list[str] = []
    clock = Clock()

    def fetch(url: str, *_: object) -> bytes:
        asked.append(url)
        return key_set()

    keys = IssuerKeys(ZONED, fetch, clock=clock)
    found = keys.candidates(of_zone("z"), "i")
    clock.pass_(240)
    keys.refresh()
    assert asked == ["https://uaa.example/token_keys?zid=z"]
    found.proved()
    eventually(lambda: keys.refresh() or asked == ["https://uaa.example/token_keys?zid=z"] * 2)


def test_a_zone_that_is_none_and_one_beyond_the_limit() -> None:
    def fails(*_: object) -> bytes:
        raise RuntimeTimeout

    keys = IssuerKeys(ZONED, fails, clock=Clock())
    with pytest.raises(InvalidToken, match=r"^the token's tenant or client is missing or malformed$"):
        keys.candidates(of_zone("a/b"), "i")
    for zone in "abcde":
        with pytest.raises(KeysUnavailable, match="cannot be loaded now"):
            keys.candidates(of_zone(zone), "i")
    with pytest.raises(KeysUnavailable, match=r"^tokens name too many zones whose keys are not known$"):
        keys.candidates(of_zone("f"), "i")


@pytest.mark.parametrize("answer", [key_set(), b"{}"], ids=["keys", "no keys"])
def test_a_zone_beyond_the_limit_is_the_tokens_fault_where_the_server_answers(answer: bytes) -> None:
    keys = IssuerKeys(ZONED, lambda *_: answer, clock=Clock())
    for zone in "abcdef":
        found = keys.candidates(of_zone(zone), "i").keys
    assert found == []
