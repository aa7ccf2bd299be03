"""The statuses and error codes of an MLflow server's answers."""

from __future__ import annotations

import re

import msgspec

from service.domain.errors import BadGateway
from service.runtimes import json_literals
from service.runtimes.http_client import HTTPAnswer

API = "/api/2.0/mlflow"
OK, BAD_REQUEST, _FORBIDDEN, NOT_FOUND, _UNAVAILABLE = 200, 400, 403, 404, 503
ABSENT = "RESOURCE_DOES_NOT_EXIST"
INVALID = "INVALID_PARAMETER_VALUE"
_HOST = re.compile(rb"\s*Invalid Host header", re.IGNORECASE)
_ARTIFACTS_ONLY = re.compile(rb"mlflow server running\s+in\s+`?--artifacts-only", re.IGNORECASE)
_MOST_OF_A_REASON = 1000
"""Bytes of a body."""


class _Error(msgspec.Struct):
    error_code: str = ""


def body(answer: HTTPAnswer, what: str) -> bytes:
    """The body of a successful answer; otherwise raises ``BadGateway``, which names ``what`` was requested."""
    if answer.status != OK:
        raise BadGateway(f"the AI runtime did not give {what}")
    return answer.body


def error_code(answer: HTTPAnswer) -> str | None:
    """MLflow's error code; ``None`` where there is none, or another server answered."""
    if answer.status not in {BAD_REQUEST, NOT_FOUND}:
        return None
    try:
        return json_literals.decode(answer.body, _Error).error_code
    except BadGateway:
        return None


def check_new(token: str, seen: set[str | None]) -> None:
    """Record the token of another page. Raises ``BadGateway`` for one that was ``seen`` before."""
    if token in seen:
        raise BadGateway("the AI runtime repeats a page's token, so that its pages have no end")
    seen.add(token)


def fault(answer: HTTPAnswer) -> str | None:
    """The reason of an MLflow server's 4xx or 5xx that only its operator can remove, and that is not about
    credentials."""
    if answer.status == _FORBIDDEN and _HOST.match(answer.body):
        return (
            "the MLflow server refuses the host name that it is asked by: it must be allowed there "
            "(mlflow server --allowed-hosts, or MLFLOW_SERVER_ALLOWED_HOSTS)"
        )
    if answer.status == _UNAVAILABLE and _ARTIFACTS_ONLY.search(answer.body, 0, _MOST_OF_A_REASON):
        return "the MLflow server has artifacts only (mlflow server --artifacts-only); name one that tracks runs"
    return None
