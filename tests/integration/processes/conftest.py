"""Hosts of the service, each a gunicorn with workers, on one Redis-protocol server and one runtime."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from service.sandbox.app import parts_of
from service.sandbox.issuer import Issuer
from service.sandbox.server import Options, running
from tests.servers.issuer_keys import with_keys
from tests.servers.scripted_runtime import ScriptedRuntime, scripted_runtime
from tests.servers.service_hosts import ServiceHost, serving
from tests.servers.valkey import ValkeyServer
from tests.servers.valkey import running as running_valkey

NewHost = Callable[..., ServiceHost]


@pytest.fixture(scope="session")
def trust(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """An issuer's URL and a token of it that may read everything."""
    directory = tmp_path_factory.mktemp("issuer")
    with running(Options(with_keys(directory), port=0)) as app:
        url = str(parts_of(app).public_url)
        yield url, Issuer.at(directory, url).mint(roles=["scenario_metric_viewer", "scenario_job_viewer"])


@pytest.fixture
def runtime() -> Iterator[ScriptedRuntime]:
    with scripted_runtime() as made:
        yield made


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[ValkeyServer]:
    with running_valkey(tmp_path / "valkey") as server:
        yield server


@pytest.fixture
def new_host(tmp_path: Path, trust: tuple[str, str], runtime: ScriptedRuntime) -> Iterator[NewHost]:
    """Starts a host that reads ``runtime``; keyword arguments are further environment variables."""
    issuer, token = trust
    with ExitStack() as stack:
        count = iter(range(100))

        def begin(**environment: str) -> ServiceHost:
            configured = {
                "AICORE_BASE_URL": runtime.url,
                "RUNTIME_AUTH": "none",
                "JWT_ISSUER": issuer,
                "JWT_AUDIENCE": "metric-resource",
                "WEB_CONCURRENCY": "2",
                "RUNTIME_TIMEOUT": "5",
                "CACHE_SECRET": "a secret of the tests, for nothing else",
                **environment,
            }
            return stack.enter_context(serving(tmp_path / f"host-{next(count)}", configured, token))

        yield begin
