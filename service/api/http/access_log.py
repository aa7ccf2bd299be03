"""The access log: a line and a count for each request, and another line for each refusal."""

from __future__ import annotations

import logging
import re
import time
from functools import lru_cache
from typing import Any

from flask import Flask, Response, request

from service.api.http.context import RequestTrace, current_request
from service.telemetry import json_logs
from service.telemetry.prometheus import Telemetry

_access = logging.getLogger("service.access")
_audit = logging.getLogger(json_logs.AUDIT)
_QUIET = frozenset({"/livez", "/readyz", "/metrics"})
_PLACEHOLDER = re.compile(r"<(?:\w+:)?(\w+)>")
_UNMATCHED = "unmatched"
_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})


def register(app: Flask, telemetry: Telemetry) -> None:
    """Log and count every answer of the application."""

    @app.after_request
    def noted(response: Response) -> Response:
        method = request.method if request.method in _METHODS else "other"
        current = current_request()
        note(
            telemetry,
            current.trace,
            route(),
            method,
            response.status_code,
            resource_group=current.resource_group,
            **_more(),
        )
        if response.status_code in {401, 403}:
            telemetry.refusal("unauthenticated" if response.status_code == 401 else "forbidden")
            _refusal(response, route())
        return response


def note(
    telemetry: Telemetry,
    trace: RequestTrace,
    route: str,
    method: str,
    status: int,
    *,
    resource_group: str | None,
    **more: Any,
) -> None:
    """Log, count and trace one answer; ``more`` are further members of its line."""
    seconds = time.perf_counter() - trace.began
    telemetry.request(method, route, status, seconds)
    if telemetry.tracing is not None:
        matched = None if route == _UNMATCHED else route
        telemetry.tracing.answered(method, matched, status, more, resource_group)
    level = logging.DEBUG if route in _QUIET else logging.INFO
    if _access.isEnabledFor(level):
        fields = {
            "event": "request",
            "requestId": trace.request_id,
            "traceparent": trace.traceparent,
            "method": method,
            "route": route,
            "status": status,
            "durationMs": round(seconds * 1000, 3),
            **more,
        }
        json_logs.add(_access, level, f"{method} {route} {status}", fields)


def route() -> str:
    """The route of the request being served, as the API's documents write it; ``unmatched`` where there is none."""
    return template(request.url_rule.rule) if request.url_rule is not None else _UNMATCHED


@lru_cache(maxsize=256)
def template(rule: str) -> str:
    """The route as the API's documents write it, ``/runs/{runId}/tags``."""
    return _PLACEHOLDER.sub(lambda match: "{" + _to_camel(match[1]) + "}", rule)


def _to_camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def _more() -> dict[str, Any]:
    current = current_request()
    given = {"cache": current.cache_status, "problem": current.problem, "upstreamMs": current.upstream_ms}
    return {name: value for name, value in given.items() if value is not None}


def _refusal(response: Response, route: str) -> None:
    current = current_request()
    _audit.warning(
        "refused",
        extra={
            "event": "refusal",
            "requestId": current.trace.request_id,
            "route": route,
            "status": response.status_code,
            "tenant": current.principal and current.principal.tenant,
            "subject": current.principal and current.principal.subject,
            "scope": current.missing_scope,
            "resourceGroup": current.refused_group,
        },
    )
