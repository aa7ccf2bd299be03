"""What is fetched for the keys of an issuer, when, and under which name it is logged."""

import logging
from collections.abc import Mapping

import pytest

from service.auth.issuer_keys import IssuerKeys
from service.auth.issuers import Dialect, Reading, TrustedIssuer
from service.auth.key_rings import FETCH_BYTES, FETCH_SECONDS
from testing.clocks import Clock
from testing.waiting import eventually
from tests.unit.auth.key_sets import key_set

URL = "https://issuer.example/keys"
TRUSTED = TrustedIssuer(Dialect.OIDC, frozenset({"us"}), Reading(), issuer="https://issuer.example", jwks_url=URL)


def test_keys_are_fetched_from_their_url_and_again_when_they_are_four_minutes_old(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "service.auth")
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
    keys.refresh()
    eventually(lambda: len(asked) == 2)
    assert asked[1] == asked[0]
    eventually(lambda: [getattr(record, "issuer", None) for record in caplog.records] == [URL])
