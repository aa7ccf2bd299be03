"""Errors as ``application/problem+json`` (RFC 9457): the one table that gives each error its status."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec
from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from service.api.http.context import current_request
from service.api.http.relative_urls import itself, relative
from service.domain import errors
from service.telemetry import json_logs

MEDIA_TYPE = "application/problem+json"
_URN = "urn:metric-resource:"
REALM = 'Bearer realm="metric-resource"'


class Problem(msgspec.Struct, frozen=True):
    """A type of problem."""

    status: int
    slug: str
    title: str


INTERNAL = Problem(500, "internal-error", "The service failed")
_PROBLEMS: dict[type[errors.ServiceError], Problem] = {
    errors.InvalidParameter: Problem(400, "invalid-parameter", "A parameter is not valid"),
    errors.Unauthenticated: Problem(401, "unauthenticated", "A valid token is needed"),
    errors.InvalidToken: Problem(401, "unauthenticated", "A valid token is needed"),
    errors.Forbidden: Problem(403, "forbidden", "Not allowed"),
    errors.RuntimeForbids: Problem(403, "forbidden", "Not allowed"),
    errors.RunNotFound: Problem(404, "run-not-found", "There is no such run"),
    errors.RunGone: Problem(404, "run-not-found", "There is no such run"),
    errors.CursorExpired: Problem(410, "cursor-expired", "The pages have expired"),
    errors.NotAcceptable: Problem(406, "not-acceptable", "Not available in a format that was asked for"),
    errors.RateLimited: Problem(429, "too-many-requests", "The AI runtime limits the rate of requests"),
    errors.MetricsNotSupported: Problem(501, "metrics-not-supported", "The AI runtime has no metrics"),
    errors.LogsNotSupported: Problem(501, "logs-not-supported", "The AI runtime has no logs"),
    errors.BadGateway: Problem(502, "bad-gateway", "The AI runtime's answer cannot be used"),
    errors.RuntimeRefuses: Problem(502, "bad-gateway", "The AI runtime refuses the service"),
    errors.RuntimeUnavailable: Problem(503, "runtime-unavailable", "The AI runtime is not available"),
    errors.KeysUnavailable: Problem(503, "keys-unavailable", "Tokens cannot be checked now"),
    errors.Overloaded: Problem(503, "overloaded", "Too many requests"),
    errors.RuntimeTimeout: Problem(504, "runtime-timeout", "The AI runtime did not answer in time"),
    errors.OnlyIfCached: Problem(504, "not-stored", "There is no stored answer"),
}
_OF_HTTP = {
    problem.status: problem
    for problem in (
        Problem(400, "bad-request", "The request is not valid"),
        Problem(404, "not-found", "There is no such resource"),
        Problem(405, "method-not-allowed", "The method is not allowed here"),
        Problem(406, "not-acceptable", "Not available in a format that was asked for"),
        Problem(413, "content-too-large", "The request body is too long"),
        Problem(414, "uri-too-long", "The URL is too long"),
        Problem(431, "request-header-fields-too-large", "The header fields are too long"),
    )
}


TYPES = sorted({_URN + problem.slug for problem in (INTERNAL, *_PROBLEMS.values(), *_OF_HTTP.values())})
"""The types of the service's own problems; other HTTP statuses are named after their reason phrase."""


def register(app: Flask) -> None:
    """Answer every error of the application with a problem."""
    app.register_error_handler(errors.ServiceError, _service_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _unexpected)


def problem_of(error: errors.ServiceError) -> Problem:
    return next((_PROBLEMS[kind] for kind in type(error).__mro__ if kind in _PROBLEMS), INTERNAL)


def part(error: errors.ServiceError, instance: str) -> dict[str, Any]:
    """The problem of a part of an answer. As the answer may be reused, it has nothing of this request."""
    return members_of(problem_of(error), error.detail, instance)


def missing_runs(missing: Mapping[str, errors.ServiceError]) -> list[dict[str, Any]]:
    """The member ``missing``: the runs that could not be read, each with its problem."""
    return [
        {"runId": run_id, "problem": part(error, relative(f"/runs/{run_id}/metric-resource"))}
        for run_id, error in missing.items()
    ]


def members_of(problem: Problem, detail: str, instance: str) -> dict[str, Any]:
    """The members of every problem document."""
    return {
        "type": _URN + problem.slug,
        "title": problem.title,
        "status": problem.status,
        "detail": detail,
        "instance": instance,
    }


def _service_error(error: errors.ServiceError) -> Response:
    problem = problem_of(error)
    if isinstance(error, errors.Forbidden):
        current = current_request()
        current.missing_scope, current.refused_group = error.scope, error.resource_group
    response = _response(problem, _detail(error), _members(error))
    response.headers["Vary"] = "Authorization, Cookie"
    for name, value in _headers(error).items():
        response.headers[name] = value
    return response


def _http_error(error: HTTPException) -> Response:
    status = error.code or 500
    response = error.get_response()
    if status < 400:
        return Response(response.get_data(), status, headers=response.headers)
    named = Problem(status, re.sub(r"[^a-z]+", "-", error.name.lower()), error.name.capitalize())
    problem = _OF_HTTP.get(status, named)
    answer = _response(problem, _http_detail(error))
    if "Allow" in response.headers:
        answer.headers["Allow"] = response.headers["Allow"]
    return answer


def _unexpected(error: Exception) -> Response:
    json_logs.failure(error)
    return _response(INTERNAL, "the service failed; its operators can find the cause by the request's id")


def _response(problem: Problem, detail: str, members: Mapping[str, Any] | None = None) -> Response:
    current_request().problem = problem.slug
    of_request = {"requestId": current_request().trace.request_id, **(members or {})}
    document = msgspec.json.encode(members_of(problem, detail, itself()) | of_request)
    response = Response(document, problem.status, content_type=MEDIA_TYPE)
    response.headers["Cache-Control"] = "no-store"
    return response


def _detail(error: errors.ServiceError) -> str:
    current = current_request()
    match error:
        case errors.RunNotFound():  # of another group or connection, such a run may exist
            group = "" if current.resource_group is None else f"the resource group {current.resource_group!r} of "
            return f"{error.what} in {group}the connection {current.connection!r}"
        case _:
            return error.detail


def _members(error: errors.ServiceError) -> dict[str, Any]:
    match error:
        case errors.InvalidParameter():
            return {"errors": [{"parameter": fault.parameter, "detail": fault.detail} for fault in error.faults]}
        case errors.Forbidden(scope=str()):
            return {"scope": error.scope, "roles": error.roles, "roleCollections": error.role_collections}
        case _:
            return {}


def _headers(error: errors.ServiceError) -> dict[str, str]:
    match error:
        case errors.InvalidToken():
            description = error.detail.replace("\\", "").replace('"', "'").encode("ascii", "replace").decode()
            return {"WWW-Authenticate": f'{REALM}, error="invalid_token", error_description="{description}"'}
        case errors.Unauthenticated():
            return {"WWW-Authenticate": REALM}
        case errors.Forbidden(scope=str()):
            return {"WWW-Authenticate": f'{REALM}, error="insufficient_scope", scope="{error.scope}"'}
        case errors.RateLimited(retry_after=None):
            return {"Retry-After": "1"}
        case errors.RateLimited() | errors.RuntimeUnavailable() | errors.KeysUnavailable() | errors.Overloaded():
            return {"Retry-After": str(max(1, error.retry_after or 0))}
        case _:
            return {}


_CALLED_ELSE = {
    "executions": "an execution is a run here: see /runs, or /runs/{runId} with its id",
    "executables": "an executable is named by its runs: see /runs?executableId={id}",
}
"""What the AI API and ML Operations call otherwise, by a part of the path that they have."""


def _http_detail(error: HTTPException) -> str:
    match error.code:
        case 404:
            called_else = [hint for word, hint in _CALLED_ELSE.items() if word in request.path.split("/")]
            return "; ".join(["there is no such resource", *called_else])
        case 405:
            return f"method {request.method} is not allowed"
        case 431:
            return error.description or "the request's header fields are too long"
        case _:
            return "the request cannot be served"
