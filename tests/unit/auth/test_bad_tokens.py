"""No bad token holds: cold, from a warm cache, or again; none makes the service ask anybody but the issuer."""

from __future__ import annotations

import pytest

from service.auth.verifier import Verifier
from service.domain.errors import InvalidToken, Unauthenticated
from tests.unit.auth import bad_tokens, forge
from tests.unit.auth.key_sets import key_set
from tests.unit.auth.worlds import KEYS_URL, Library, holds, oidc, verifier

BAD = bad_tokens.catalogue()
GOOD = forge.token(forge.header(), forge.claims())


@pytest.fixture(scope="module")
def issuer() -> Library:
    return Library({KEYS_URL: key_set()})


@pytest.fixture(scope="module")
def warm(issuer: Library) -> Verifier:
    checked = verifier(oidc(), issuer)
    holds(checked, GOOD)
    holds(checked, forge.es256())
    return checked


def test_there_are_at_least_three_hundred_different_ones() -> None:
    assert len(set(BAD.values())) >= 300
    assert f"Bearer {GOOD}" not in BAD.values()


@pytest.mark.parametrize("name", BAD)
def test_refused_warm_again_and_cold(name: str, warm: Verifier, issuer: Library) -> None:
    for checked in (warm, warm, verifier(oidc(), issuer)):
        with pytest.raises(Unauthenticated) as refused:
            checked.verify(BAD[name])
        assert refused.type in (Unauthenticated, InvalidToken)
        assert len(refused.value.detail) < 100
        assert BAD[name][:40] not in refused.value.detail or len(BAD[name]) < 8
    assert set(issuer.asked) == {KEYS_URL}


def test_the_good_one_still_holds_between_them(warm: Verifier) -> None:
    for authorization in list(BAD.values())[::7]:
        with pytest.raises(Unauthenticated):
            warm.verify(authorization)
        assert holds(warm, GOOD).subject == "ada"


def test_all_of_them_together_cause_a_handful_of_fetches(issuer: Library) -> None:
    asking = Library(dict(issuer.documents))
    checked = verifier(oidc(), asking)
    holds(checked, GOOD)
    for authorization in BAD.values():
        with pytest.raises(Unauthenticated):
            checked.verify(authorization)
    assert len(asking.asked) <= 2


def test_missing_credentials_get_a_bare_challenge_and_broken_ones_do_not(warm: Verifier) -> None:
    for missing in (None, "", " ", "Basic YTpi", f"DPoP {GOOD}", f"Basic YTpi, Bearer {GOOD}"):
        with pytest.raises(Unauthenticated) as refused:
            warm.verify(missing)
        assert refused.type is Unauthenticated
    for broken in ("Bearer", "Bearer x", "@", f"Bearer {GOOD},Bearer {GOOD}"):
        with pytest.raises(InvalidToken):
            warm.verify(broken)


@pytest.mark.parametrize(
    ("token", "detail"),
    [
        (forge.token(forge.header(kid="unheard-of"), forge.claims()), "no key with the token's kid"),
        (GOOD[:-8] + "AAAAAAAA", "invalid signature"),
        (
            forge.token(forge.header(), forge.claims(aud="another")),
            "audience mismatch: the token is for another service",
        ),
        (forge.token(forge.header(), forge.claims(iss="https://other.example")), "the token's issuer is not trusted"),
        (forge.token(forge.header(alg="RS384"), forge.claims()), "the token's algorithm is not accepted"),
    ],
    ids=["key", "signature", "audience", "issuer", "algorithm"],
)
def test_the_detail_names_what_is_wrong_with_the_token(warm: Verifier, token: str, detail: str) -> None:
    with pytest.raises(InvalidToken) as refused:
        holds(warm, token)
    assert refused.value.detail == detail
