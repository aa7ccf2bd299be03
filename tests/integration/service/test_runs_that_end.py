"""A run that ends while it is read: its metrics may be those of before its last point, although its status is of after it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from tests.integration.service.conftest import RUN, Service, Surroundings
from tests.rows import each_row
from tests.servers.scripted_runtime import POINT

RUNNING, FINISHED = "max-age=60", "max-age=300"


def completes(service: Service, **members: Any) -> None:
    """Have the runtime say that the run has completed, a little later than it gives its metrics."""
    execution = {"id": "run1", "status": "COMPLETED", "configurationId": "c", **members}
    service.runtime.say("execution", 200, execution, wait=0.05)


def said(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


@each_row(
    "ended, ahead, freshness",
    [
        (timedelta(), timedelta(), RUNNING),
        (timedelta(minutes=-1), timedelta(), FINISHED),
        (timedelta(hours=3), timedelta(hours=3), RUNNING),
        (timedelta(hours=2), timedelta(hours=3), FINISHED),
        (timedelta(), timedelta(hours=-3), FINISHED),
    ],
)
def test_metrics_of_a_run_that_has_just_ended_may_not_be_all(
    service: Service, ended: timedelta, ahead: timedelta, freshness: str
) -> None:
    """By the runtime's clock, which is ``ahead`` of ours; an end in the future is ignored."""
    now = datetime.now(UTC)
    service.runtime.sends["Date"] = format_datetime((now + ahead), usegmt=True)
    for member in ("completionTime", "modifiedAt"):
        completes(service, **{member: said(now + ended)})
        answer = service.get(RUN, Cache_Control="no-cache")
        assert freshness in answer.headers["Cache-Control"], member


@each_row(
    "members, date",
    [
        ({"statusMessage": {}, "targetStatus": 1}, "Sun, 29 Mar 2026 01:00:00 GMT"),
        ({"completionTime": 7, "modifiedAt": "yesterday"}, "Sun, 29 Mar 2026 01:00:00 GMT"),
        ({}, "soon"),
        ({}, "Sun, 29 Mar 2026 01:00:00 -99999999999999999"),
    ],
)
def test_an_odd_time_of_its_end_takes_no_run_down(service: Service, members: dict[str, Any], date: str) -> None:
    service.runtime.sends["Date"] = date
    completes(service, **{"completionTime": "2026-03-29T01:00:00Z", **members})
    answer = service.get(RUN, Cache_Control="no-cache")
    assert (answer.status_code, len(answer.json["metrics"])) == (200, 1)


def test_a_runtime_that_does_not_say_when_a_run_ended_is_believed(service: Service) -> None:
    completes(service)
    assert FINISHED in service.get(RUN).headers["Cache-Control"]


@pytest.mark.slow
def test_the_last_point_of_a_run_that_ends_while_it_is_read(surroundings: Surroundings) -> None:
    """It is there soon, and a stream gives it before it ends."""
    with surroundings.service(cache={"fresh_running": 1.0}) as service:
        completes(service, completionTime=said(datetime.now(UTC)))
        assert len(service.get(RUN).json["metrics"]) == 1
        points = [POINT, POINT | {"step": 2}]
        service.runtime.say("metrics", 200, {"resources": [{"executionId": "run1", "metrics": points}]})
        stream = service.get(f"{RUN}/events").text
        events = [line for line in stream.splitlines() if line.startswith("event: ")]
        assert events == ["event: state", "event: points", "event: points", "event: end"]
        assert FINISHED in service.get(RUN).headers["Cache-Control"]
        assert len(service.get(RUN).json["metrics"]) == 2
