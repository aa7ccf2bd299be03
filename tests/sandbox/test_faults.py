"""Failures at the turn of a switch, and statuses at will."""

from __future__ import annotations

from typing import Any

from service.sandbox.faults import Faults
from tests.rows import each_row

RUN = "c85a1e94-d7b0-4f26-a3c1-64e2f8b90d1b"


def switch(api: Any, body: Any) -> Any:
    return api.session.put(f"{api.url}/sandbox/faults", json=body, timeout=30)


def test_a_healthy_runtime(api: Any) -> None:
    faults = api.session.get(f"{api.url}/sandbox/faults", timeout=30).json()
    assert faults == {"metrics": True, "logs": True, "meta": True, "slow": 0.0, "unavailable": False}
    meta = api.get("/meta").json()
    assert meta["extensions"]["metrics"]["capabilities"]["extendedResults"] is True
    assert meta["aiApi"]["capabilities"]["multitenant"] is True


def test_without_the_metrics_extension_from_the_start(serve: Any) -> None:
    api = serve(faults=Faults(metrics=False))
    assert "metrics" not in api.get("/meta").json()["extensions"]
    api.assert_error(api.get("/metrics", executionIds=RUN), 501)
    api.assert_error(api.log(executionId=RUN), 501)
    api.assert_error(api.call("DELETE", "/metrics", params={"executionId": RUN}), 501)
    assert api.get(f"/executions/{RUN}").status_code == 200


def test_switches_while_it_runs(serve: Any) -> None:
    api = serve()
    assert switch(api, {"metrics": False}).json() == {
        "metrics": False,
        "logs": True,
        "meta": True,
        "slow": 0.0,
        "unavailable": False,
    }
    api.assert_error(api.get("/metrics", executionIds=RUN), 501)
    assert switch(api, {"unavailable": True}).json()["metrics"] is False
    api.assert_error(api.get("/meta"), 503)
    assert switch(api, {"metrics": True, "unavailable": False}).status_code == 200
    assert api.get("/metrics", executionIds=RUN).status_code == 200


def test_slow_answers_still_come(serve: Any) -> None:
    api = serve(faults=Faults(slow=0.2))
    assert api.get("/meta").elapsed.total_seconds() >= 0.2


@each_row("body", [{"slow": -1}, {"slow": 1e9}, {"slow": "x"}, {"metrics": 1}, {"typo": True}, []])
def test_switches_that_do_not_exist(api: Any, body: Any) -> None:
    api.assert_error(switch(api, body), 400)


def test_a_run_gets_any_status(api: Any) -> None:
    id_ = api.execution()

    def move(body: Any) -> Any:
        return api.session.put(f"{api.url}/sandbox/executions/{id_}/status", json=body, timeout=30)

    assert move({"status": "DEAD", "statusMessage": "out of memory"}).status_code == 200
    dead = api.get(f"/executions/{id_}").json()
    assert (dead["status"], dead["statusMessage"]) == ("DEAD", "out of memory")
    assert "completionTime" in dead
    assert "completionTime" not in move({"status": "RUNNING"}).json()
    api.assert_error(move({"status": "BORED"}), 400, "status")
    api.assert_error(move({"status": "DEAD", "resourceGroup": "research"}), 404)
