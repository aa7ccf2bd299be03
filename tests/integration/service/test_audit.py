"""What the log says of a refusal: one structured line, whole, never the token, and nothing that a caller could forge."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.telemetry.json_logs import JSONFormatter
from tests.integration.service.conftest import RUN, Service

MEMBERS = {
    "time", "level", "logger", "message", "event", "requestId", "route", "status", "tenant", "subject", "scope", "resourceGroup"
}  # fmt: skip
ROUTE = "/runs/{runId}/metric-resource"
FORGED = 'x\r\n{"event":"refusal","subject":"innocent"}\u2028\u0085\x1b[2J\x00'


class Log:
    """Everything that the service's loggers write, as an operator would have it."""

    def __init__(self) -> None:
        self._stream = io.StringIO()
        self.handler = logging.StreamHandler(self._stream)
        self.handler.setFormatter(JSONFormatter())

    @property
    def text(self) -> str:
        return self._stream.getvalue()

    def lines(self, event: str) -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in self.text.splitlines()]
        return [line for line in lines if line.get("event") == event]


@pytest.fixture
def log() -> Iterator[Log]:
    made, logger = Log(), logging.getLogger("service")
    level = logger.level
    logger.addHandler(made.handler)
    logger.setLevel(logging.DEBUG)
    yield made
    logger.removeHandler(made.handler)
    logger.setLevel(level)


def only(log: Log, token: str) -> dict[str, Any]:
    """The one refusal in the log, in which no part of the token is."""
    (line,) = log.lines("refusal")
    assert set(line) == MEMBERS
    assert datetime.fromisoformat(line["time"]).utcoffset() is not None
    assert len(log.lines("request")) == 1
    assert not any(part in log.text for part in token.split(".") if part)
    return line


def test_a_missing_role(service: Service, log: Log) -> None:
    token = service.issuer.mint(subject="ada", roles=["scenario_job_editor"])
    answer = service.get(token=token, X_Request_ID="mine-1")
    line = only(log, token)
    assert (line["status"], line["tenant"], line["subject"]) == (403, service.issuer.url, "ada")
    assert (line["scope"], line["route"], line["requestId"]) == ("scenarios.metrics.read", ROUTE, "mine-1")
    assert answer.status_code == 403


def test_anothers_resource_group(service: Service, log: Log) -> None:
    token = service.issuer.mint(subject="ada", roles=["scenario_metric_viewer"], resource_groups=["group-a"])
    service.get(token=token, AI_Resource_Group="group-b")
    line = only(log, token)
    assert (line["status"], line["subject"], line["scope"], line["resourceGroup"]) == (403, "ada", None, "group-b")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_an_invalid_token_names_nobody(service: Service, log: Log, method: str) -> None:
    broken = service.token[:-6] + "AAAAAA"
    assert service.get(token=broken, method=method).status_code == 401
    line = only(log, broken)
    assert (line["status"], line["tenant"], line["subject"], line["route"]) == (401, None, None, ROUTE)


def test_an_expired_token(service: Service, log: Log) -> None:
    expired = service.issuer.mint(roles=["scenario_metric_viewer"], lifetime=-3600)
    assert service.get(token=expired).status_code == 401
    assert only(log, expired)["status"] == 401


def test_no_token_at_all(service: Service, log: Log) -> None:
    service.client.get(RUN)
    assert only(log, "")["status"] == 401


def test_a_token_in_the_wrong_place_is_not_logged_either(service: Service, log: Log) -> None:
    service.client.get(f"{RUN}?access_token={service.token}", headers={"X-Request-ID": service.token})
    assert only(log, service.token)["status"] == 401


def test_what_is_granted_is_no_refusal(service: Service, log: Log) -> None:
    assert service.get().status_code == 200
    assert log.lines("refusal") == []
    assert len(log.lines("request")) == 1
    assert service.token not in log.text


def test_claims_paths_and_ids_forge_no_line(service: Service, log: Log) -> None:
    token = service.issuer.mint(subject=FORGED, roles=["scenario_job_editor"])
    environment = {
        "HTTP_X_REQUEST_ID": "x\r\nforged",
        "HTTP_TRACEPARENT": "x\r\nforged",
        "HTTP_AI_RESOURCE_GROUP": "x\r\n{}",
    }
    service.client.get(
        "/runs/x%0d%0a%7b%7d/metric-resource",
        headers={"Authorization": f"Bearer {token}"},
        environ_overrides=environment,
    )
    assert only(log, token)["subject"] == FORGED
    service.client.get("/%0d%0a%7b%22event%22:%22refusal%22%7d")
    assert all(line.startswith('{"time": ') and line.endswith("}") for line in log.text.splitlines())
    assert len(log.lines("refusal")) == 1


@given(st.text(), st.text(), st.dictionaries(st.text(), st.text()))
def test_a_record_is_one_line_of_ascii_whatever_is_in_it(message: str, subject: str, claims: dict[str, str]) -> None:
    record = logging.makeLogRecord({"msg": "%s", "args": (message,), "subject": subject, "claims": claims})
    line = JSONFormatter().format(record)
    assert line.isascii()
    assert line.isprintable()
    read = json.loads(line)
    assert (read["message"], read["subject"], read["claims"]) == (message, subject, claims)
