"""In front of a real MLflow server with its own basic authentication: with whose credentials it is asked, and what callers
are told where it refuses them."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests
from flask.testing import FlaskClient

from service.app import close, create_app
from service.domain.runtime import RuntimeKind
from service.sandbox.issuer import Issuer
from service.settings import (
    AuthSettings,
    CacheSettings,
    ConnectionSettings,
    RuntimeAuth,
    RuntimeSettings,
    Settings,
)
from testing.mlflow import ADMINISTRATOR
from tests import document
from tests.integration.service.conftest import Surroundings
from tests.servers.mlflow import server_with_accounts
from tests.servers.scripted_mlflow import MARCH

pytestmark = [pytest.mark.mlflow, pytest.mark.slow]
READER = ("reader", "a password of the tests")


@dataclass
class World:
    """A service with a connection for each way to be known to one MLflow server, and a run there."""

    client: FlaskClient
    issuer: Issuer
    run: str
    experiment: str

    def get(self, connection: str, path: str | None = None, **headers: str) -> tuple[int, Any]:
        """Status and document; of the run's metrics where no path is named."""
        path = path or f"/runs/{self.run}/metric-resource"
        token = self.issuer.mint(roles=["scenario_metric_viewer", "scenario_job_viewer"])
        given = {"Authorization": f"Bearer {token}", "AI-Connection": connection, **headers}
        answer = self.client.get(path, headers=given)
        document.check("GET", path, answer.status_code, dict(answer.headers), answer.data)
        return answer.status_code, json.loads(answer.data)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with server_with_accounts(tmp_path_factory.mktemp("accounts")) as url:
        post(url, "users/create", username=READER[0], password=READER[1])
        yield url


def post(url: str, path: str, version: int = 2, **body: Any) -> Any:
    answer = requests.post(f"{url}/api/{version}.0/mlflow/{path}", json=body, auth=ADMINISTRATOR, timeout=60)
    assert answer.ok, answer.text
    return answer.json()


@pytest.fixture
def world(surroundings: Surroundings, url: str) -> Iterator[World]:
    experiment = post(url, "experiments/create", name=uuid.uuid4().hex)["experiment_id"]
    run = post(url, "runs/create", experiment_id=experiment, start_time=MARCH)["run"]["info"]["run_id"]
    post(url, "runs/log-metric", run_id=run, key="loss", value=0.5, timestamp=MARCH, step=1)
    ways: dict[str, dict[str, Any]] = {
        "basic": {"username": ADMINISTRATOR[0], "password": ADMINISTRATOR[1]},
        "reader": {"username": READER[0], "password": READER[1]},
        "wrong": {"username": ADMINISTRATOR[0], "password": "another"},
        "bearer": {"token": "a-token"},
        "none": {},
        "forward": {"auth": RuntimeAuth.FORWARD},
    }
    connections = tuple(
        ConnectionSettings(name, RuntimeSettings(url, RuntimeKind.MLFLOW, timeout=60, **how), default=name == "basic")
        for name, how in ways.items()
    )
    settings = Settings(
        connections[0].runtime,
        AuthSettings(issuers=(surroundings.issuer.url,), audiences=("metric-resource",)),
        CacheSettings(redis_url=surroundings.valkey.url, secret="a secret of the tests", min_refresh=0),
        connections=connections,
    )
    app = create_app(settings)
    yield World(app.test_client(), surroundings.issuer, run, experiment)
    close(app)


def test_with_the_services_account_it_is_read(world: World) -> None:
    status, found = world.get("basic")
    assert (status, [metric["value"] for metric in found["metrics"]]) == (200, [0.5])


@pytest.mark.parametrize(
    ("connection", "status", "hint"),
    [
        ("wrong", 502, ""),
        ("bearer", 502, ": it accepts credentials of the scheme Basic, not Bearer"),
        ("none", 502, ": it accepts credentials of the scheme Basic, none are sent"),
        ("forward", 403, ": it accepts credentials of the scheme Basic, not Bearer"),
    ],
)
def test_who_is_refused_is_told_why_and_gets_nobodys_answer(
    world: World, connection: str, status: int, hint: str
) -> None:
    assert world.get("basic")[0] == 200, "another connection's answer of the same server is stored"
    for path in (None, "/capabilities"):
        refused, problem = world.get(connection, path)
        assert (refused, {"metrics", "runtime"} & problem.keys()) == (status, set())
        assert problem["detail"].startswith("the AI runtime refuses the ")
        assert problem["detail"].endswith(hint)
        assert "credentials of" not in problem["detail"] or hint
    assert world.get("basic")[0] == 200


def test_what_an_account_may_no_more_read_is_not_given_out_of_the_cache(world: World, url: str) -> None:
    assert world.get("reader")[0] == 200
    permission = {"resource_type": "experiment", "resource_id": world.experiment, "permission": "DENY"}
    post(url, "users/permissions/grant", version=3, username=READER[0], **permission)
    status, problem = world.get("reader", **{"Cache-Control": "no-cache"})
    assert (status, problem["detail"]) == (502, "the AI runtime refuses the service's credentials")
    assert world.get("basic", **{"Cache-Control": "no-cache"})[0] == 200
