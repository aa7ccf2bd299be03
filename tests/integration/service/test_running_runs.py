"""Runs that are read again and again while they are running: their statuses by one request, where that works."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

import pytest

from service.settings import RuntimeAuth
from tests.integration.service.conftest import Service, Surroundings

RUNS = [f"run{number}" for number in range(5)]


@pytest.fixture
def service(surroundings: Surroundings) -> Iterator[Service]:
    with surroundings.service() as made:
        yield made


def lists(service: Service, **statuses: str) -> None:
    """Have the runtime list these runs."""
    service.runtime.say(
        "executions", 200, {"resources": [{"id": run_id, "status": status} for run_id, status in statuses.items()]}
    )


def hides(service: Service, odd: str) -> None:
    """Have the runtime answer for several runs with what is none, because of ``odd``, of which alone it does not."""
    answer = service.runtime.answer

    def answers(path: str, headers: Mapping[str, str] | None = None) -> tuple[int, bytes, float]:
        if "/metrics?" in path and odd in path:
            return 200, b"[]", 0.0
        return answer(path, headers)

    service.runtime.answer = answers  # type: ignore[method-assign]


def asked(service: Service) -> tuple[int, int]:
    """How often the runtime is asked for an execution, and for a list of them, when the runs are read anew."""
    before = service.runtime.asked.copy()
    answer = service.get(f"/points?{'&'.join(f'run={run_id}' for run_id in RUNS)}", Cache_Control="no-cache")
    body = json.loads(answer.data)
    assert {point["runId"] for point in body["points"]} == set(RUNS)
    assert body["missing"] == []
    return tuple(service.runtime.asked[what] - before[what] for what in ("execution", "executions"))  # type: ignore[return-value]


def test_runs_that_are_running_are_looked_up_in_one_list(service: Service) -> None:
    lists(service, **dict.fromkeys(RUNS, "RUNNING"), elsewhere="RUNNING")
    assert asked(service) == (5, 0), "nothing is known of them"
    assert asked(service) == (0, 1)
    query = service.runtime.headers[-1]["path"] + service.runtime.headers[-2]["path"]
    assert "status=RUNNING" in query


def test_each_caller_is_answered_by_a_list_of_its_own(surroundings: Surroundings) -> None:
    with surroundings.service(RuntimeAuth.FORWARD) as service:
        lists(service, **dict.fromkeys(RUNS, "RUNNING"))
        for subject in ("ada", "bob"):
            service.token = service.issuer.mint(roles=["scenario_metric_viewer"], subject=subject)
            before = len(service.runtime.headers)
            assert asked(service) == (5, 0), "nothing is known of them by this caller's token"
            assert asked(service) == (0, 1)
            sent = {headers.get("authorization") for headers in service.runtime.headers[before:]}
            assert sent == {f"Bearer {service.token}"}


def test_a_run_that_is_not_in_the_list_is_asked_for_by_itself(service: Service) -> None:
    lists(service, **dict.fromkeys(RUNS[:4], "RUNNING"), run4="COMPLETED")
    asked(service)
    assert asked(service) == (1, 1)


@pytest.mark.parametrize("answer", [(404, {}), (500, {}), (403, {}), (200, {"resources": 1}), (200, {"resources": []})])
def test_a_runtime_that_gives_no_such_list_is_asked_for_each_run(service: Service, answer: tuple[int, object]) -> None:
    service.runtime.say("executions", *answer)
    asked(service)
    assert asked(service) == (5, 1)
    assert asked(service) == (5, 0), "not for a list again"


@pytest.mark.parametrize("answer", [(200, {"resources": []}), (404, {}), (403, {})])
def test_a_run_that_cannot_be_read_hides_no_others_though_none_is_in_the_list(
    service: Service, answer: tuple[int, object]
) -> None:
    asked(service)
    hides(service, RUNS[0])
    service.runtime.say("executions", *answer)
    read = service.get(f"/points?{'&'.join(f'run={run_id}' for run_id in RUNS)}", Cache_Control="no-cache")
    assert {point["runId"] for point in json.loads(read.data)["points"]} >= set(RUNS[1:])
    assert service.runtime.asked["executions"] == 1


def test_a_runtime_that_lists_more_than_it_is_asked_for_is_asked_for_each_run(service: Service) -> None:
    """It would list all that there are, every few seconds."""
    lists(service, **dict.fromkeys((*RUNS, *(f"other{number}" for number in range(200))), "RUNNING"))
    asked(service)
    assert asked(service) == (5, 1)
    assert asked(service) == (5, 0), "not for a list again"
