"""No bad token holds: cold, from a warm cache, or again; none makes the service ask anybody but the issuer."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from service.auth.verifier import Verifier
from service.domain.errors import InvalidToken, Unauthenticated
from tests.unit.auth import bad_tokens, forge
from tests.unit.auth.key_sets import Bad, key_set
from tests.unit.auth.worlds import KEYS_URL, Library, holds, oidc, verifier


@pytest.fixture(scope="module")
def good() -> str:
    return forge.token(forge.header(), forge.claims())


@pytest.fixture(scope="module")
def issuer() -> Library:
    return Library({KEYS_URL: key_set()})


@pytest.fixture(scope="module")
def warm(issuer: Library, good: str) -> Verifier:
    checked = verifier(oidc(), issuer)
    holds(checked, good)
    holds(checked, forge.es256())
    return checked


def test_there_are_at_least_three_hundred_different_ones(good: str) -> None:
    bad = bad_tokens.catalogue().values()
    assert len(set(bad)) >= 300
    assert f"Bearer {good}" not in bad


def _refused(checked: Verifier, authorization: str) -> bool:
    """Refused as it should be: by one of the two errors, in few words, without a word of the token."""
    try:
        checked.verify(authorization)
    except Unauthenticated as refused:
        told = authorization[:40] in refused.detail and len(authorization) >= 8
        return type(refused) in (Unauthenticated, InvalidToken) and len(refused.detail) < 100 and not told
    return False


@pytest.mark.parametrize("kind", bad_tokens.KINDS)
def test_refused_warm_again_and_cold(kind: Callable[[], Bad], warm: Verifier, issuer: Library) -> None:
    bad = bad_tokens.of_kind(kind)
    for state, checked in (
        ("warm", lambda: warm),
        ("again", lambda: warm),
        ("cold", lambda: verifier(oidc(), issuer)),
    ):
        held = [name for name, authorization in bad.items() if not _refused(checked(), authorization)]
        assert held == [], state
    assert set(issuer.asked) == {KEYS_URL}


def test_the_good_one_still_holds_between_them(warm: Verifier, good: str) -> None:
    for authorization in list(bad_tokens.catalogue().values())[::7]:
        with pytest.raises(Unauthenticated):
            warm.verify(authorization)
        assert holds(warm, good).subject == "ada"


def test_all_of_them_together_cause_a_handful_of_fetches(issuer: Library, good: str) -> None:
    asking = Library(dict(issuer.documents))
    checked = verifier(oidc(), asking)
    holds(checked, good)
    for authorization in bad_tokens.catalogue().values():
        with pytest.raises(Unauthenticated):
            checked.verify(authorization)
    assert len(asking.asked) <= 2


def test_missing_credentials_get_a_bare_challenge_and_broken_ones_do_not(warm: Verifier, good: str) -> None:
    for missing in (None, "", " ", "Basic YTpi", f"DPoP {good}", f"Basic YTpi, Bearer {good}"):
        with pytest.raises(Unauthenticated) as refused:
            warm.verify(missing)
        assert refused.type is Unauthenticated
    for broken in ("Bearer", "Bearer x", "@", f"Bearer {good},Bearer {good}"):
        with pytest.raises(InvalidToken):
            warm.verify(broken)


@pytest.mark.parametrize(
    ("head", "payload", "detail"),
    [
        ({"kid": "unheard-of"}, {}, "no key with the token's kid"),
        ({}, {"aud": "another"}, "audience mismatch: the token is for another service"),
        ({}, {"iss": "https://other.example"}, "the token's issuer is not trusted"),
        ({"alg": "RS384"}, {}, "the token's algorithm is not accepted"),
        ({}, {}, "invalid signature"),
    ],
    ids=["key", "audience", "issuer", "algorithm", "signature"],
)
def test_the_detail_names_what_is_wrong_with_the_token(
    warm: Verifier, head: dict[str, str], payload: dict[str, str], detail: str
) -> None:
    token = forge.token(forge.header(**head), forge.claims(**payload))
    with pytest.raises(InvalidToken) as refused:
        holds(warm, token if head or payload else token[:-8] + "AAAAAAAA")
    assert refused.value.detail == detail
