"""The catalogue of bad tokens against the whole service: each a 401, none a connection to anywhere but the issuer."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from service.app import close, create_app
from service.app.authentication import Authentication
from service.auth.catalogue import load_catalogue
from service.runtimes.transport import HttpTransport, fetch_document
from service.settings import AuthSettings, RuntimeAuth, RuntimeSettings, Settings
from service.telemetry.prometheus import Telemetry
from tests.servers.scripted_runtime import ScriptedRuntime, scripted_runtime
from tests.unit.auth import bad_tokens
from tests.unit.auth.forge import claims, header, token
from tests.unit.auth.issuer_server import IssuerServer
from tests.unit.auth.key_sets import key_set
from tests.unit.auth.worlds import oidc, verifier

RUN = "/runs/run1/tags"
_watched: list[list[tuple[str, Any]]] = []


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if _watched and event in {"socket.connect", "socket.getaddrinfo"}:
        _watched[-1].append((event, arguments))


@pytest.fixture(scope="session")
def audited() -> None:
    """An audit hook can never be taken away again; it does nothing while nobody watches."""
    sys.addaudithook(_watch)


@pytest.fixture
def connections(audited: None) -> Iterator[list[tuple[str, Any]]]:
    """Every name that this process resolves, and every address that it connects to."""
    _watched.append([])
    yield _watched[-1]
    _watched.clear()


@pytest.fixture
def runtime() -> Iterator[ScriptedRuntime]:
    with scripted_runtime() as runtime:
        yield runtime


@pytest.fixture
def issuer() -> Iterator[IssuerServer]:
    with IssuerServer().serving() as server:
        server.give("/keys", key_set())
        yield server


@pytest.fixture
def client(runtime: ScriptedRuntime, issuer: IssuerServer) -> Iterator[FlaskClient]:
    transport = HttpTransport(connect_timeout=3, max_body_bytes=10**6, pool_size=2, telemetry=Telemetry())
    checked = verifier(oidc(jwks_url=f"{issuer.url}/keys"), fetch_document(transport))
    settings = Settings(RuntimeSettings(runtime.url, auth=RuntimeAuth.FORWARD), AuthSettings())
    app = create_app(settings, authentication=Authentication(checked, load_catalogue()))
    yield app.test_client()
    close(app)
    transport.close()


def ask(client: FlaskClient, authorization: str) -> Any:
    return client.get(RUN, environ_overrides={"HTTP_AUTHORIZATION": authorization})


@pytest.mark.parametrize(
    ("warm", "step"),
    [
        pytest.param(False, 5, id="some, cold"),
        pytest.param(False, 1, id="cold", marks=pytest.mark.slow),
        pytest.param(True, 1, id="warm", marks=pytest.mark.slow),
    ],
)
def test_each_is_a_401_and_asks_nobody(
    client: FlaskClient,
    runtime: ScriptedRuntime,
    issuer: IssuerServer,
    connections: list[tuple[str, Any]],
    warm: bool,
    step: int,
) -> None:
    """Each of them with ``make test-slow``; that the verifier refuses each, its own tests hold."""
    good = f"Bearer {token(header(), claims())}"
    if warm:
        assert ask(client, good).status_code == 200
    before = len(runtime.headers)
    answers = {name: ask(client, bad) for name, bad in [*bad_tokens.catalogue().items()][::step]}
    assert len(answers) >= 300 / step
    wrong = {name: answer.status_code for name, answer in answers.items() if answer.status_code != 401}
    assert wrong == {}
    assert all(answer.headers["WWW-Authenticate"].startswith("Bearer realm=") for answer in answers.values())
    assert len(runtime.headers) == before
    assert ask(client, good).status_code == 200
    assert len(issuer.asked) <= 3
    places = {str(arguments) for _, arguments in connections}
    assert places
    assert all("127.0.0.1" in place for place in places), places
