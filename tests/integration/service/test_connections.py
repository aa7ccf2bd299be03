"""Several runtimes behind one service: each by its name, each for whom it is meant, none in another's way."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
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
from testing.ports import free_port
from testing.threads import together
from testing.waiting import eventually
from tests import document
from tests.integration.service.conftest import Surroundings
from tests.servers.scripted_mlflow import MARCH, ScriptedMLflow
from tests.servers.scripted_runtime import POINT, ScriptedRuntime, serving

RUN = "0123456789abcdef0123456789abcdef"
PATH = f"/runs/{RUN}/metric-resource"
ROLES = ["scenario_metric_viewer", "scenario_job_viewer"]


def point_of(name: str) -> dict[str, Any]:
    return {**POINT, "name": f"of {name}"}


@dataclass
class World:
    """A service with the connections ``sap`` (the default), ``other`` and ``tracking``, and what they lead to."""

    client: FlaskClient
    issuer: Issuer
    sap: ScriptedRuntime
    other: ScriptedRuntime
    tracking: ScriptedMLflow
    tenant: str
    token: str

    def get(self, path: str = PATH, connection: str | None = None, token: str | None = None, **headers: str) -> Any:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        given["Authorization"] = f"Bearer {token or self.token}"
        if connection is not None:
            given["AI-Connection"] = connection
        answer = self.client.get(path, headers=given)
        document.check("GET", path, answer.status_code, dict(answer.headers), answer.data)
        return answer

    def names(self, connection: str | None, path: str = PATH, **headers: str) -> set[str]:
        answer = self.get(path, connection, **headers)
        assert answer.status_code == 200, answer.data
        return {metric["name"] for metric in json.loads(answer.data)["metrics"]}


@contextmanager
def world(surroundings: Surroundings, **of_other: Any) -> Iterator[World]:
    with ExitStack() as stack:
        mlflow_server = ScriptedMLflow(workspaces=of_other.pop("workspaces", False))
        sap, other, tracking = (
            stack.enter_context(serving(made)) for made in (ScriptedRuntime(), ScriptedRuntime(), mlflow_server)
        )
        for name, runtime in (("sap", sap), ("other", other)):
            runtime.say("metrics", 200, {"resources": [{"executionId": RUN, "metrics": [point_of(name)]}]})
        assert isinstance(tracking, ScriptedMLflow)
        tracking.runs[RUN] = {"of tracking": [{"value": 0.5, "timestamp": MARCH, "step": 1}]}
        none: dict[str, Any] = {"auth": RuntimeAuth.NONE, "timeout": 30.0, "connect_timeout": 30.0}
        elsewhere = RuntimeSettings(of_other.pop("url", other.url), **{**none, **of_other.pop("runtime", {})})
        mlflow = RuntimeSettings(
            tracking.url.removesuffix("/v2"), RuntimeKind.MLFLOW, **{**none, **of_other.pop("tracking", {})}
        )
        default = RuntimeSettings(sap.url, **none)
        settings = Settings(
            default,
            AuthSettings(issuers=(surroundings.issuer.url,), audiences=("metric-resource",)),
            CacheSettings(
                redis_url=surroundings.valkey.url, secret="a secret of the tests", fresh_running=60, min_refresh=0
            ),
            connections=(
                ConnectionSettings("sap", default, "SAP AI Core", default=True),
                ConnectionSettings("other", elsewhere, **of_other),
                ConnectionSettings("tracking", mlflow),
            ),
        )
        app = create_app(settings)
        stack.callback(close, app)
        token = surroundings.issuer.mint(roles=ROLES)
        yield World(app.test_client(), surroundings.issuer, sap, other, tracking, surroundings.issuer.url, token)


def test_each_runtime_is_read_by_its_name(surroundings: Surroundings) -> None:
    with world(surroundings) as there:
        for _ in range(3):  # from the runtime, from the store, from the response cache
            assert there.names(None) == there.names("sap") == {"of sap"}
            assert there.names("other") == {"of other"}
            assert there.names("tracking") == {"of tracking"}
        assert there.names(None, f"{PATH}?connection=other") == {"of other"}
        assert there.names("sap", f"{PATH}?connection=tracking") == {"of tracking"}, "the query goes before"


def test_a_link_keeps_its_connection(surroundings: Surroundings) -> None:
    with world(surroundings) as there:
        found = json.loads(there.get(f"/runs/{RUN}?connection=tracking").data)
        assert found["metricResource"]["href"].endswith("/metric-resource?connection=tracking")
        page = there.get(f"{PATH}?connection=tracking&limit=1")
        assert page.status_code == 200
        answer = there.get(f"{PATH}?limit=1", "tracking")
        assert answer.status_code == 200


def test_an_answer_tells_that_it_hangs_on_the_connection(surroundings: Surroundings) -> None:
    with world(surroundings) as there:
        one, other = there.get(), there.get(connection="other")
        assert "AI-Connection" in one.headers["Vary"]
        assert one.headers["ETag"] != other.headers["ETag"]


def test_a_name_that_is_unknown_and_one_of_another_tenant_are_refused_alike(surroundings: Surroundings) -> None:
    asked = [(named, PATH) for named in ("nobody", "", "Other", "../sap", "ö")]
    with world(surroundings, tenants=("another tenant",)) as there:
        for named, path in (*asked, ("nobody", "/runs"), ("x", "/capabilities")):
            unknown, others = there.get(path, named.encode().decode("latin-1")), there.get(path, "other")
            assert (unknown.status_code, others.status_code) == (403, 403), (named, path)
            problems = [json.loads(answer.data) for answer in (unknown, others)]
            for each in problems:
                del each["requestId"]
            assert problems[0] == problems[1], (named, path)
        assert {seen["path"] for seen in there.other.headers} <= {"/v2/lm/meta"}, "nothing is asked for a caller"


def test_a_tenant_that_is_named_may_use_it(surroundings: Surroundings) -> None:
    with world(surroundings, tenants=(surroundings.issuer.url,)) as there:
        assert there.names("other") == {"of other"}


def test_the_connections_of_the_callers_tenant_are_listed(surroundings: Surroundings) -> None:
    sap = {"name": "sap", "kind": "ai_api", "description": "SAP AI Core", "default": True}
    tracking = {"name": "tracking", "kind": "mlflow", "description": "", "default": False}
    with world(surroundings, tenants=("another tenant",)) as there:
        answer = there.get("/connections", token=there.issuer.mint())
        assert json.loads(answer.data) == {"connections": [sap, tracking]}
        assert there.get("/connections", If_None_Match=answer.headers["ETag"]).status_code == 304
    with world(surroundings, description="more") as there:
        listed = json.loads(there.get("/connections").data)["connections"]
        assert [each["name"] for each in listed] == ["sap", "other", "tracking"]


def test_capabilities_say_whose_they_are(surroundings: Surroundings) -> None:
    with world(surroundings) as there:
        found = [json.loads(there.get("/capabilities", name).data) for name in ("sap", "tracking")]
    assert [(each["connection"], each["runtime"]["kind"], each["runtime"]["identifier"]) for each in found] == [
        ("sap", "ai_api", "scripted"),
        ("tracking", "mlflow", "mlflow"),
    ]


def test_readiness_and_metrics_say_which(surroundings: Surroundings) -> None:
    with world(surroundings, url=f"http://127.0.0.1:{free_port()}/v2") as there:
        there.names("tracking")
        ready = json.loads(there.client.get("/readyz").data)
        assert ready["runtime"] == "reachable"
        assert ready["connections"] == {"sap": "reachable", "other": "unreachable", "tracking": "reachable"}
        exposed = there.client.get("/metrics").data.decode()
    assert 'metric_resource_circuit_state{connection="tracking"}' in exposed
    assert (
        'metric_resource_upstream_exchanges_total{connection="tracking",operation="history",outcome="200"} 1.0'
        in exposed
    )


@pytest.mark.parametrize("trouble", ["down", "hanging", "garbage", "429"])
def test_one_that_is_in_trouble_changes_nothing_for_the_others(surroundings: Surroundings, trouble: str) -> None:
    """A dozen reads of it at once, each given up or refused, and meanwhile the others answer as ever, nothing stale."""
    url = {"url": f"http://127.0.0.1:{free_port()}/v2"} if trouble == "down" else {}
    limits = {"runtime": {"timeout": 1.0 if trouble == "hanging" else 30.0, "concurrency": 2}}
    statuses = {"down": {503}, "hanging": {503, 504}, "garbage": {502}, "429": {429}}
    with world(surroundings, **url, **limits) as there:
        for what in ("meta", "execution", "metrics", "executions"):
            if trouble == "hanging":
                there.other.say(what, 200, {}, wait=3.0)
            elif trouble == "garbage":
                there.other.say(what, 200, b"\x00 no JSON")
            elif trouble == "429":
                there.other.sends = {"Retry-After": "9"}
                there.other.say(what, 429, {})
        token = there.issuer.mint(roles=ROLES)

        def troubled(number: int) -> int:
            path = f"/comparisons?run=run-a{number}&run=run-b{number}" if number % 2 else f"/runs/run-{number}/tags"
            return int(there.get(path, "other", token).status_code)

        meanwhile: list[tuple[int, bool]] = []
        over = threading.Event()

        def healthy() -> int:
            while not over.is_set() or len(meanwhile) < 20:
                for name in ("sap", "tracking"):
                    meanwhile.append(refreshed(there, name, token))
            return 200

        def all_troubled() -> int:
            try:
                found = set(together(*[lambda number=number: troubled(number) for number in range(12)]))
                assert found <= statuses[trouble] | {503}, found
                assert found & statuses[trouble], found
            finally:
                over.set()
            return 0

        together(healthy, all_troubled)
        assert set(meanwhile) == {(200, False)}
        assert there.names("sap") == {"of sap"}


@pytest.mark.parametrize("named", ["other", "tracking"])
def test_one_that_hangs_holds_nothing_that_another_needs(surroundings: Surroundings, named: str) -> None:
    """It answers nobody before the others have answered."""
    with world(surroundings, **{"runtime" if named == "other" else named: {"concurrency": 2}}) as there:
        token, over = there.issuer.mint(roles=ROLES), threading.Event()
        runtime: ScriptedRuntime = getattr(there, named)
        answer = runtime.answer

        def held(path: str, headers: Mapping[str, str] | None = None) -> tuple[int, bytes, float]:
            over.wait(60)
            return answer(path, headers)

        runtime.answer = held  # type: ignore[method-assign]
        runtime.headers.clear()

        def hanging(number: int) -> None:
            there.get(f"/runs/run-{number}/tags", named, token)

        def healthy() -> None:
            try:
                eventually(lambda: runtime.headers)
                found = {
                    refreshed(there, name, token) for name in {"sap", "other", "tracking"} - {named} for _ in "12345"
                }
            finally:
                over.set()
            assert found == {(200, False)}

        together(healthy, *[partial(hanging, number) for number in range(12)])


def refreshed(there: World, name: str, token: str) -> tuple[int, bool]:
    """The status of a read that has to be fetched, and whether an older answer was given in its place."""
    answer = there.get(f"/runs/{RUN}/tags", name, token, Cache_Control="no-cache")
    return answer.status_code, "stale-if-error" in answer.headers.get("Cache-Status", "")


def test_a_rate_limit_is_of_the_runtime_that_has_it(surroundings: Surroundings) -> None:
    with world(surroundings) as there:
        there.other.sends = {"Retry-After": "30"}
        for what in ("metrics", "execution", "meta"):
            there.other.say(what, 429, {})
        assert there.get(connection="other").status_code == 429
        assert there.get(connection="other").headers["Retry-After"]
        assert there.names("sap") == {"of sap"}


def test_a_resource_group_is_named_as_its_runtime_names_them(surroundings: Surroundings) -> None:
    """A workspace of MLflow may have two characters, a resource group of SAP has four at least."""
    with world(surroundings, workspaces=True) as there:
        assert there.names("tracking", AI_Resource_Group="ml") == {"of tracking"}
        asked = [
            headers.get("x-mlflow-workspace") for headers in there.tracking.headers if "runs/get" in headers["path"]
        ]
        assert asked == ["ml"]
        for connection, group in (("sap", "ml"), ("tracking", "m"), ("tracking", "a/b")):
            assert there.get(connection=connection, AI_Resource_Group=group).status_code == 400
        assert there.get("/connections", "tracking", AI_Resource_Group="ml").status_code == 200, "whatever connection"


def test_freshness_is_the_connections_own(surroundings: Surroundings) -> None:
    with world(surroundings, fresh_running=7.0) as there:
        ages = [there.get(connection=name).headers["Cache-Control"].split(",")[1].strip() for name in ("sap", "other")]
    assert ages == ["max-age=60", "max-age=7"]


def test_a_runtime_that_takes_other_credentials_is_said_to_as_long_as_it_is_remembered(
    surroundings: Surroundings,
) -> None:
    with world(surroundings) as there:
        there.other.sends = {"WWW-Authenticate": 'Basic realm="x"'}
        for what in ("metrics", "execution", "meta"):
            there.other.say(what, 401, {})
        for _ in range(2):
            answer = there.get(connection="other")
            assert answer.status_code == 502
            assert json.loads(answer.data)["detail"] == (
                "the AI runtime refuses the service's credentials: it accepts credentials of the scheme Basic, "
                "none are sent"
            )
        assert there.names("sap") == {"of sap"}
