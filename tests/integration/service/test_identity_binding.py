"""An Identity Authentication binding from settings to principal, over real HTTP: tenants below its domains."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator

import pytest

from service.app.authentication import build_authentication
from service.domain.access import TokenVerifier
from service.domain.errors import InvalidToken
from service.settings import AuthSettings, IdentityBinding
from service.telemetry.prometheus import Telemetry
from tests.unit.auth.forge import claims, header, jwk, rsa_key, token
from tests.unit.auth.issuer_server import IssuerServer

TENANT = "tenant-1"
KEYS = {"keys": [jwk(rsa_key("rsa-1"), "rsa-1")]}


@pytest.fixture
def server() -> Iterator[IssuerServer]:
    with IssuerServer().serving() as server:
        where = f"{server.url}/oauth2/certs"
        server.give("/.well-known/openid-configuration", {"issuer": server.url, "jwks_uri": where})
        server.give("/oauth2/certs", KEYS)
        yield server


@pytest.fixture
def verifier(server: IssuerServer) -> Iterator[TokenVerifier]:
    """Its tenants are one label below ``0.0.1``: this machine is one of them, by its address."""
    port = server.host.partition(":")[2]
    binding = IdentityBinding("client-uuid", f"http://localhost:{port}", (f"0.0.1:{port}",))
    authentication = build_authentication(AuthSettings(identity=(binding,)), Telemetry())
    yield authentication.verifier
    authentication.verifier.close()


@pytest.fixture
def made(server: IssuerServer) -> Callable[..., str]:
    def mint(key: str = "rsa-1", **changes: object) -> str:
        now = int(time.time())
        base = {"iss": server.url, "aud": "client-uuid", "azp": "caller", "app_tid": TENANT, "exp": now + 600}
        base |= {"iat": now, "groups": ["ailaunchpad_mloperations_viewer"]}
        return token(header(), claims(**{**base, **changes}), rsa_key(key))

    return mint


def test_a_tenant_below_the_domains_is_known_by_groups_and_asked_in_our_name(
    verifier: TokenVerifier, server: IssuerServer, made: Callable[..., str]
) -> None:
    principal = verifier.verify(f"Bearer {made()}")
    assert (principal.tenant, principal.issuer) == (TENANT, server.url)
    assert principal.has("scenarios.metrics.read")
    assert server.asked == ["/.well-known/openid-configuration", "/oauth2/certs"]
    for headers in server.headers:
        named = {name: headers.get(name) for name in ("x-app_tid", "x-client_id", "x-azp")}
        assert named == {"x-app_tid": TENANT, "x-client_id": "client-uuid", "x-azp": "caller"}
        assert "authorization" not in headers


def test_a_tenant_that_the_server_does_not_know_as_ours_is_refused(
    verifier: TokenVerifier, server: IssuerServer, made: Callable[..., str]
) -> None:
    server.routes["/oauth2/certs"] = lambda: (400, b"{}", {}) if server.headers[-1]["x-app_tid"] != TENANT else (
        200, json.dumps(KEYS).encode(), {}
    )  # fmt: skip
    assert verifier.verify(f"Bearer {made()}").tenant == TENANT
    with pytest.raises(InvalidToken):
        verifier.verify(f"Bearer {made(app_tid='tenant-2')}")
    with pytest.raises(InvalidToken):
        verifier.verify(f"Bearer {made('rsa-2')}")


def test_a_flood_of_tenants_causes_a_handful_of_fetches(
    verifier: TokenVerifier, server: IssuerServer, made: Callable[..., str]
) -> None:
    verifier.verify(f"Bearer {made()}")
    for number in range(300):
        with pytest.raises(InvalidToken):
            verifier.verify(f"Bearer {made('rsa-2', app_tid=f'tenant-{number}', azp=f'caller-{number}')}")
    assert verifier.verify(f"Bearer {made(jti='another')}").tenant == TENANT
    assert len(server.asked) <= 12
    assert {path.partition("?")[0] for path in server.asked} == {"/.well-known/openid-configuration", "/oauth2/certs"}


def test_a_place_outside_the_domains_is_never_asked(
    verifier: TokenVerifier, server: IssuerServer, made: Callable[..., str]
) -> None:
    with IssuerServer().serving() as elsewhere:
        for name in (
            elsewhere.url,
            f"{server.url}.attacker.example",
            f"{server.url}/",
            server.url.replace("http", "https"),
        ):
            with pytest.raises(InvalidToken, match="issuer"):
                verifier.verify(f"Bearer {made(iss=name)}")
        assert elsewhere.asked == server.asked == []
