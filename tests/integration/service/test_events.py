"""Event streams under a server that knows nothing of them: who may watch, until when."""

from __future__ import annotations

from typing import Any

import pytest

from testing.waiting import eventually
from tests.integration.service.conftest import RUN, Service

EVENTS = f"{RUN}/events"
VIEWER = ["scenario_metric_viewer"]


def test_a_stream_ends_with_its_token(service: Service) -> None:
    def watched() -> list[str]:
        answer = service.get(EVENTS, token=service.issuer.mint(roles=VIEWER, lifetime=2))
        assert answer.status_code == 401 or answer.text.rstrip().endswith('data: {"reason":"expired"}')
        return [line for line in answer.text.splitlines() if line.startswith("event: ")]

    eventually(lambda: watched() == ["event: state", "event: points", "event: end"])  # a token may be over too soon


def test_a_filter_chooses_points(service: Service) -> None:
    def watched() -> str:
        answer = service.get(f"{EVENTS}?name=unheard-of", token=service.issuer.mint(roles=VIEWER, lifetime=1))
        assert "event: points" not in answer.text
        return str(answer.text)

    eventually(lambda: '"count":0' in watched())  # a token may be over too soon


@pytest.mark.parametrize(
    "claims", [{"roles": ["scenario_job_editor"]}, {"roles": VIEWER, "resource_groups": ["another"]}]
)
def test_who_may_not_read_may_not_watch(service: Service, claims: dict[str, Any]) -> None:
    assert service.get(EVENTS, token=service.issuer.mint(**claims)).status_code == 403


def test_what_is_no_id_is_refused_in_the_query(service: Service) -> None:
    answer = service.get(f"{EVENTS}?after=%20")
    assert (answer.status_code, answer.json["errors"][0]["parameter"]) == (400, "after")


def test_the_head_of_a_stream_has_no_length(service: Service) -> None:
    answer = service.get(EVENTS, method="HEAD")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/event-stream")
    assert "Content-Length" not in answer.headers
