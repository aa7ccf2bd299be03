"""The logs of executions, as the AI API gives them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rows import each_row

DEAD = "d03b67e5-9a2c-4f81-8c5d-7f46e2a10b17"


def log(api: Any, id_: str, **parameters: Any) -> list[dict[str, Any]]:
    answer = api.get(f"/executions/{id_}/logs", **parameters)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["data"]["result"])


def write(api: Any, id_: str, *lines: dict[str, Any]) -> Any:
    return api.session.post(f"{api.url}/sandbox/executions/{id_}/logs", json={"lines": lines}, timeout=30)


def messages(lines: list[dict[str, Any]]) -> list[str]:
    return [line["msg"] for line in lines]


@pytest.fixture
def run(api: Any) -> str:
    id_ = str(api.execution())
    lines = [{"timestamp": f"2026-03-29T03:00:0{n}.5+02:00", "msg": f"line {n}"} for n in range(4)]
    assert write(api, id_, *lines).status_code == 201
    return id_


def test_without_start_it_is_of_the_last_hour(api: Any, run: str) -> None:
    assert log(api, run) == []
    assert write(api, run, {"msg": "now"}).json() == {"written": 1}
    (line,) = log(api, run)
    assert set(line) == {"timestamp", "msg", "container", "pod", "stream"}


def test_ranges_and_orders(api: Any, run: str) -> None:
    start, end = "2026-03-29T01:00:01.5Z", "2026-03-29T01:00:03.5Z"
    assert messages(log(api, run, start=start, end=end)) == ["line 1", "line 2"]
    assert messages(log(api, run, start="2000-01-01T00:00:00Z", **{"$order": "desc", "$top": 2})) == [
        "line 3",
        "line 2",
    ]


@each_row("name, value", [("$top", "5001"), ("$order", "up"), ("start", "yesterday"), ("end", "2026-03-29")])
def test_mistakes(api: Any, run: str, name: str, value: str) -> None:
    api.assert_error(api.get(f"/executions/{run}/logs", **{name: value}), 400, name)


def test_a_log_goes_with_its_execution(api: Any, run: str) -> None:
    assert api.call("DELETE", f"/executions/{run}").status_code == 202
    api.assert_error(api.get(f"/executions/{run}/logs"), 404)


def test_a_runtime_without_logs_says_so(serve: Any) -> None:
    api = serve()
    api.session.put(f"{api.url}/sandbox/faults", json={"logs": False}, timeout=30)
    api.assert_error(api.get(f"/executions/{DEAD}/logs"), 501)
    assert api.get("/meta").json()["aiApi"]["capabilities"]["logs"]["executions"] is False


def test_a_runtime_may_have_no_meta(serve: Any) -> None:
    api = serve()
    api.session.put(f"{api.url}/sandbox/faults", json={"meta": False}, timeout=30)
    api.assert_error(api.get("/meta"), 404)
