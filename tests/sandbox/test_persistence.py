"""What survives a restart, and what a start does not bring back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from service.sandbox.app import parts_of
from service.sandbox.metric_store import Addition

SILENT = "4ad7e8c0-b263-4195-9e08-d5f72c0b6a19"


def test_data_and_keys_survive_and_deleted_runs_stay_deleted(serving: Any, tmp_path: Path) -> None:
    with serving(tmp_path) as api:
        id_ = api.execution()
        api.log(executionId=id_, metrics=[{"name": "m", "value": 1}], tags=[{"name": "t", "value": "v"}])
        api.call("DELETE", f"/executions/{SILENT}")
        before, execution = api.get("/metrics", executionIds=id_).text, api.get(f"/executions/{id_}").json()
        keys = parts_of(api.app).issuer.key_set()
    with serving(tmp_path) as api:
        assert api.get("/metrics", executionIds=id_).text == before
        assert api.get(f"/executions/{id_}").json() == execution
        assert parts_of(api.app).issuer.key_set() == keys
        api.assert_error(api.get(f"/executions/{SILENT}"), 404)


def test_a_token_survives_a_restart_at_the_same_address(serving: Any, tmp_path: Path) -> None:
    with serving(tmp_path, public_url="http://sandbox.example") as api:
        issuer = parts_of(api.app).issuer
        token = issuer.mint_for_client("sandbox-client")
    with serving(tmp_path, public_url="http://sandbox.example/") as api:
        assert parts_of(api.app).issuer.is_for_runtime(token)


def test_a_reader_sees_one_state_while_another_writes(serve: Any) -> None:
    api = serve()
    id_, store = api.execution(), parts_of(api.app).metrics
    store.add("default", id_, Addition(b'{"name":"m","value":1,"timestamp":"2026-01-01T00:00:00Z"}'), "then")
    for _ in range(4):
        store.add("default", id_, Addition(b",".join([b'{"name":"m","value":"' + b"x" * 60_000 + b'"}'] * 4)), "then")
    answer = api.call("GET", "/metrics", params={"executionIds": id_}, stream=True)
    store.add("default", id_, Addition(b'{"name":"late","value":1}'), "later")
    assert len(answer.json()["resources"][0]["metrics"]) == 17
    answer.close()


def test_many_points_of_one_run(serve: Any) -> None:
    api = serve()
    id_, store = api.execution(), parts_of(api.app).metrics
    rows = [b'{"name":"m","value":%d,"timestamp":"2026-01-01T00:00:00Z"}' % number for number in range(100_000)]
    for start in range(0, len(rows), 1000):
        store.add("default", id_, Addition(b",".join(rows[start : start + 1000])), "2026-01-01T00:00:00Z")
    metrics = api.resource(id_)["metrics"]
    assert [metric["value"] for metric in metrics] == list(range(100_000))
