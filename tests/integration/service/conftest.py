"""The whole service in this process: real tokens, a real Redis-protocol server, a runtime over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from flask import request_started
from flask.testing import FlaskClient

from service.api.http.large_work import LargeWork
from service.app import close, create_app
from service.charts.rendering import Renderer
from service.sandbox.app import parts_of
from service.sandbox.issuer import Issuer
from service.sandbox.server import Options, running
from service.settings import AuthSettings, CacheSettings, RuntimeAuth, RuntimeSettings, Settings
from tests import document
from tests.servers.issuer_keys import with_keys
from tests.servers.scripted_runtime import ScriptedRuntime, scripted_runtime
from tests.servers.valkey import ValkeyServer
from tests.servers.valkey import running as running_valkey

RUN = "/runs/run1/metric-resource"


class Service:
    """A client of the service that can mint tokens and holds every answer against the OpenAPI document."""

    def __init__(
        self,
        client: FlaskClient,
        issuer: Issuer,
        runtime: ScriptedRuntime,
        valkey: ValkeyServer,
        settings: Settings,
    ) -> None:
        self.settings = settings
        self.client = client
        self.issuer = issuer
        self.runtime = runtime
        self.valkey = valkey
        self.token = _viewers_token(issuer)
        self.dispatched = 0
        """Requests that reached Flask; the others were answered by the response cache in front of it."""
        request_started.connect(self._count, client.application)

    def _count(self, _app: Any, **_: Any) -> None:
        self.dispatched += 1

    def get(self, path: str = RUN, token: str | None = None, method: str = "GET", **headers: str) -> Any:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        given.setdefault("Authorization", f"Bearer {token or self.token}")
        answer = self.client.open(path, method=method, headers=given)
        if "Content-Encoding" not in answer.headers:
            document.check(method, path, answer.status_code, dict(answer.headers), answer.data)
        return answer


_TOKENS: dict[str, str] = {}


def _viewers_token(issuer: Issuer) -> str:
    """One of each issuer for all applications: none of them knows what another has verified."""
    if issuer.url not in _TOKENS:
        _TOKENS[issuer.url] = issuer.mint(roles=["scenario_metric_viewer"])
    return _TOKENS[issuer.url]


@pytest.fixture(scope="session")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Issuer]:
    """One for all: reading its RSA key checks it, which takes a tenth of a second."""
    with running(Options(with_keys(tmp_path_factory.mktemp("sandbox")), port=0)) as app:
        yield parts_of(app).issuer


@pytest.fixture(scope="session")
def valkey_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyServer]:
    with running_valkey(tmp_path_factory.mktemp("valkey")) as server:
        yield server


@dataclass(frozen=True)
class Surroundings:
    """What a service stands in: an issuer, a store that others share, a runtime."""

    issuer: Issuer
    valkey: ValkeyServer
    runtime: ScriptedRuntime
    renderer: Renderer

    @contextmanager
    def service(
        self,
        auth: RuntimeAuth = RuntimeAuth.NONE,
        *,
        trust: AuthSettings | None = None,
        large_work: LargeWork | None = None,
        cache: Mapping[str, Any] | None = None,
        **runtime: Any,
    ) -> Iterator[Service]:
        """One process's worth of the service, trusting the sandbox's issuer unless told otherwise."""
        settings = Settings(
            RuntimeSettings(self.runtime.url, auth=auth, **{"timeout": 30.0, "connect_timeout": 30.0, **runtime}),
            trust or AuthSettings(issuers=(self.issuer.url,), audiences=("metric-resource",)),
            CacheSettings(
                redis_url=self.valkey.url,
                secret="a secret of the tests",
                **{"fresh_running": 60, "min_refresh": 0, **(cache or {})},
            ),
            cors_origins=("https://front-end.example",),
        )
        app = create_app(settings, large_work=large_work, renderer=self.renderer)
        try:
            yield Service(app.test_client(), self.issuer, self.runtime, self.valkey, settings)
        finally:
            close(app)


@contextmanager
def surrounded(issuer: Issuer, valkey: ValkeyServer, renderer: Renderer) -> Iterator[Surroundings]:
    """A runtime, and a store that knows nothing: an earlier runtime may have had the same port."""
    valkey.flush()
    with scripted_runtime() as runtime:
        yield Surroundings(issuer, valkey, runtime, renderer)


@pytest.fixture
def surroundings(issuer: Issuer, valkey_server: ValkeyServer, renderer: Renderer) -> Iterator[Surroundings]:
    with surrounded(issuer, valkey_server, renderer) as made:
        yield made


@pytest.fixture(scope="module")
def shared_service(issuer: Issuer, valkey_server: ValkeyServer, renderer: Renderer) -> Iterator[Service]:
    """One for all tests of a module that only read: they leave the runtime and the token as they find them."""
    with surrounded(issuer, valkey_server, renderer) as made, made.service() as service:
        yield service


@pytest.fixture
def service(surroundings: Surroundings) -> Iterator[Service]:
    with surroundings.service() as service:
        yield service
