"""The whole service in this process: real tokens, a real Redis-protocol server, a runtime over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from service.app import close, create_app
from service.sandbox.issuer import Issuer
from service.sandbox.server import Options, running
from service.settings import AuthSettings, CacheSettings, RuntimeAuth, RuntimeSettings, Settings
from tests.servers.scripted_runtime import ScriptedRuntime, scripted_runtime
from tests.servers.valkey import ValkeyServer
from tests.servers.valkey import running as running_valkey

RUN = "/runs/run1/metric-resource"


class Service:
    """A client of the service that can mint tokens."""

    def __init__(self, client: FlaskClient, issuer: Issuer, runtime: ScriptedRuntime, valkey: ValkeyServer) -> None:
        self.client = client
        self.issuer = issuer
        self.runtime = runtime
        self.valkey = valkey
        self.token = issuer.mint(roles=["scenario_metric_viewer"])

    def get(self, path: str = RUN, token: str | None = None, method: str = "GET", **headers: str) -> Any:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        given.setdefault("Authorization", f"Bearer {token or self.token}")
        return self.client.open(path, method=method, headers=given)


@pytest.fixture(scope="session")
def issuer_at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    directory = tmp_path_factory.mktemp("sandbox")
    with running(Options(directory, port=0)) as app:
        yield app.config.get("PUBLIC_URL") or _url(app), directory


def _url(app: Any) -> str:
    from service.sandbox.app import parts_of

    return str(parts_of(app).public_url)


@pytest.fixture(scope="session")
def valkey_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyServer]:
    with running_valkey(tmp_path_factory.mktemp("valkey")) as server:
        yield server


@pytest.fixture
def service(issuer_at: tuple[str, Path], valkey_server: ValkeyServer) -> Iterator[Service]:
    url, directory = issuer_at
    with scripted_runtime() as runtime:
        settings = Settings(
            RuntimeSettings(runtime.url, auth=RuntimeAuth.NONE, timeout=3.0),
            AuthSettings(issuers=(url,), audiences=("metric-resource",)),
            CacheSettings(redis_url=valkey_server.url, secret="a secret of the tests", fresh_running=60),
            cors_origins=("https://front-end.example",),
        )
        app = create_app(settings)
        try:
            yield Service(app.test_client(), Issuer.at(directory, url), runtime, valkey_server)
        finally:
            close(app)
