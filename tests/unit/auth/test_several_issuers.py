"""Several bindings and issuers at once: each token is read by the rules of the one that it is meant for."""

from __future__ import annotations

import pytest

from service.auth.issuers import Reading, TrustedIssuer
from service.domain.errors import InvalidToken
from tests.unit.auth.forge import claims as plain
from tests.unit.auth.forge import compact, header, jwk, rsa_key, token
from tests.unit.auth.worlds import XSUAA_DOMAIN, XSUAA_ISSUER, Library, holds, oidc, verifier, xsuaa

KEYS = Library({f"https://{XSUAA_DOMAIN}/token_keys?zid=zone-1": compact({"keys": [jwk(rsa_key("rsa-1"), "rsa-1")]})})
APPLICATION = xsuaa()
BROKER = xsuaa(
    audiences=frozenset({"sb-broker!b2", "broker!b2"}), reading=Reading(tenant="zid", scope_prefix="broker!b2.")
)


def of_xsuaa(audience: str, scope: str) -> str:
    return token(header(), plain(iss=XSUAA_ISSUER, zid="zone-1", aud=[audience], scope=[scope]))


@pytest.mark.parametrize("bindings", [(APPLICATION, BROKER), (BROKER, APPLICATION)])
def test_two_bindings_of_one_tenant(bindings: tuple[TrustedIssuer, ...]) -> None:
    """An application with an ``application`` and a ``broker`` instance of XSUAA takes the tokens of both."""
    checked = verifier(bindings, KEYS)
    for audience in ("launchpad!t1", "broker!b2"):
        principal = holds(checked, of_xsuaa(audience, f"{audience}.scenarios.metrics.read"))
        assert principal.scopes == {"scenarios.metrics.read"}


def test_each_keeps_to_its_own_scopes() -> None:
    checked = verifier((APPLICATION, BROKER), KEYS)
    assert not holds(checked, of_xsuaa("broker!b2", "launchpad!t1.scenarios.metrics.read")).scopes
    with pytest.raises(InvalidToken, match="audience mismatch"):
        holds(checked, of_xsuaa("another!t3", "launchpad!t1x.scenarios.metrics.read"))


def test_an_audience_of_one_issuer_is_none_of_another() -> None:
    checked = verifier((oidc(), APPLICATION), KEYS)
    with pytest.raises(InvalidToken, match="audience mismatch"):
        holds(checked, token(header(), plain(aud="launchpad!t1")))
