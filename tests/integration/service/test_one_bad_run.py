"""A runtime that fails whenever one run is among those that it is asked for: that run is missing, no other."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import pytest

from testing.threads import together
from tests.integration.service.conftest import Service, Surroundings

FAILURES = {
    "500": (500, b"{}", 0.0, 503),
    "404": (404, b"{}", 0.0, 502),
    "no JSON": (200, b"<html>", 0.0, 502),
    "too late": (200, b"{}", 30.0, 504),
}


def spoil(service: Service, status: int, body: bytes, wait: float) -> list[str]:
    """Have requests for the metrics of ``bad1`` fail; the paths of all metrics requests, as they come."""
    plain, asked = service.runtime.answer, list[str]()

    def answer(path: str, headers: Any = None) -> tuple[int, bytes, float]:
        if "/lm/metrics" in path:
            asked.append(path)
            if "bad1" in path:
                return status, body, wait
        return plain(path, headers)

    service.runtime.answer = answer  # type: ignore[method-assign]
    service.token = service.issuer.mint(roles=["scenario_metric_viewer", "scenario_job_viewer"])
    return asked


@pytest.mark.parametrize(
    "failure", [pytest.param(name, marks=[pytest.mark.slow] * (name == "too late")) for name in FAILURES]
)
def test_one_run_that_the_runtime_fails_for_takes_no_other_down(surroundings: Surroundings, failure: str) -> None:
    *fault, problem = FAILURES[failure]
    paths = "/comparisons?run=bad1&run=good", "/points?run=bad1&run=fine&run=good&format=csv"
    with surroundings.service(timeout=4.0) as service:
        spoil(service, *fault)  # type: ignore[arg-type]
        compared, table = together(*[partial(service.get, path) for path in paths])
        assert compared.headers["Cache-Control"] == "no-store"
        compared = json.loads(compared.data)
        assert [one["runId"] for one in compared["runs"]] == ["good"]
        assert [(one["runId"], one["problem"]["status"]) for one in compared["missing"]] == [("bad1", problem)]
        assert table.headers["X-Missing-Runs"] == "bad1"
        assert table.headers["Cache-Control"] == "no-store"
        assert [row.split(b",")[0] for row in table.data.splitlines()[1:]] == [b"fine", b"good"]


def test_a_runtime_that_fails_for_all_is_not_asked_for_each(surroundings: Surroundings) -> None:
    with surroundings.service() as service:
        asked = spoil(service, 500, b"{}", 0.0)
        service.runtime.say("execution", 500, {})
        assert service.get("/points?run=bad1&run=good").status_code == 503
        assert len(asked) == 1
