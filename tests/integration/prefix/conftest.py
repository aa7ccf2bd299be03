"""One service below every kind of address: as it is, below prefixes that proxies take away, and below ``SCRIPT_NAME``."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from service.sandbox.app import parts_of
from service.sandbox.issuer import Issuer
from service.sandbox.server import Options, running
from tests.servers.issuer_keys import with_keys
from tests.servers.prefixes import PREFIX, has_nginx, nginx, stripping
from tests.servers.scripted_runtime import POINT, ScriptedRuntime, serving
from tests.servers.service_hosts import ServiceHost
from tests.servers.service_hosts import serving as serving_host

RUNS = ("run1", "run2", "run3")
ABSENT = "no-such-run"


class Runs(ScriptedRuntime):
    """Knows of three runs."""

    def answer(self, path: str, headers: Mapping[str, str] | None = None) -> tuple[int, bytes, float]:
        parts = urlsplit(path)
        if parts.path.endswith("/lm/metrics"):
            asked = parse_qs(parts.query)["executionIds"][0].split(",")
            points = [POINT, POINT | {"step": 2}, POINT | {"step": 3}]
            return _said({"resources": [{"executionId": run, "metrics": points} for run in asked if run in RUNS]})
        if parts.path.endswith("/lm/executions"):
            return _said({"resources": [{"id": run, "status": "RUNNING", "configurationId": "c"} for run in RUNS]})
        if parts.path.endswith(f"/executions/{ABSENT}"):
            return 404, json.dumps({"error": {"code": "1", "message": "there is no such thing"}}).encode(), 0.0
        return super().answer(path, headers)


def _said(document: object) -> tuple[int, bytes, float]:
    return 200, json.dumps(document).encode(), 0.0


@dataclass(frozen=True)
class Addressed:
    """A service as its clients have it: the URL of its root, without a slash at the end."""

    url: str
    token: str


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[dict[str, str], str]]:
    """What configures a host of the service, and a token for it."""
    directory = tmp_path_factory.mktemp("issuer")
    with running(Options(with_keys(directory), port=0)) as app, serving(Runs()) as runtime:
        issuer = str(parts_of(app).public_url)
        yield (
            {
                "AICORE_BASE_URL": runtime.url,
                "RUNTIME_AUTH": "none",
                "JWT_ISSUER": issuer,
                "JWT_AUDIENCE": "metric-resource",
                "WEB_CONCURRENCY": "1",
            },
            Issuer.at(directory, issuer).mint(
                roles=["scenario_metric_viewer", "scenario_job_viewer", "scenario_execution_viewer"]
            ),
        )


@pytest.fixture(scope="session")
def host(environment: tuple[dict[str, str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceHost]:
    with serving_host(tmp_path_factory.mktemp("host"), *environment) as host:
        yield host


@pytest.fixture(scope="session")
def mounted(environment: tuple[dict[str, str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceHost]:
    """A host whose environment has ``SCRIPT_NAME``."""
    configured, token = environment
    with serving_host(tmp_path_factory.mktemp("mounted"), {**configured, "SCRIPT_NAME": PREFIX}, token) as host:
        yield host


WAYS = ("bare", "stripped", "nginx", "script-name")
IN_BROWSER = ("nginx" if has_nginx() else "stripped",)
"""Where pages are tried in a browser: they are the same bytes everywhere (``test_references``), so one prefix says it of
all, and the page without one is tried with the demo and with a picture."""


@pytest.fixture(scope="session", params=WAYS)
def addressed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Addressed]:
    way = request.param
    if way == "nginx" and not has_nginx():
        pytest.skip("nginx is not installed")
    host: ServiceHost = request.getfixturevalue("mounted" if way == "script-name" else "host")
    local = f"http://127.0.0.1:{host.port}"
    opened: Mapping[str, Callable[[], AbstractContextManager[str]]] = {
        "bare": lambda: nullcontext(local),
        "script-name": lambda: nullcontext(local + PREFIX),
        "stripped": lambda: stripping(host.port),
        "nginx": lambda: nginx(host.port, Path(tmp_path_factory.mktemp("proxy")) / "nginx"),
    }
    with opened[way]() as url:
        yield Addressed(url, host.token)
