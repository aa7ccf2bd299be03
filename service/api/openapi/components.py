"""The shared components of the OpenAPI document: parameters, headers, problems."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from marshmallow import Schema

from service.api.http import problems
from service.api.http.formats import CSV_EXCEL, Format
from service.api.openapi.schemas import ProblemSchema
from service.domain.ids import GROUP_PATTERN, PATTERN

EVERY_ANSWER = ("X-Request-ID", "traceparent")
STORED_ANSWER = ("ETag", "Cache-Control", "Vary", "Age", "Cache-Status", *EVERY_ANSWER)
DESCRIPTIONS = {200: "OK", 503: "Not ready."}
_EXAMPLE_ID = "5b0f6d52-3a57-4c0e-9d0b-6f1f4f2b8a11"
"""A run of the demo, so that *Try it out* works without a change."""

_PROBLEMS: dict[int, tuple[str, str]] = {
    400: ("InvalidParameter", "A parameter is not valid; all invalid parameters are named."),
    401: ("Unauthenticated", "There is no token, or it is not valid (RFC 6750)."),
    403: ("Forbidden", "The token lacks a scope, or the resource group is not the caller's."),
    410: ("CursorExpired", "The snapshot that the pages are of is no longer stored."),
    404: ("RunNotFound", "The runtime knows no such run in that resource group."),
    406: ("NotAcceptable", "The resource has none of the media types in `Accept`, or not the `format`."),
    429: ("TooManyRequests", "The runtime limits the rate of requests."),
    501: (
        "NotSupported",
        "The runtime has no metrics extension (`metrics-not-supported`), or no logs (`logs-not-supported`).",
    ),
    502: ("BadGateway", "The runtime's answer cannot be used, or it refuses the service's credentials."),
    503: (
        "Unavailable",
        "The runtime cannot be reached or its circuit is open (`runtime-unavailable`), the service is at its limit "
        "(`overloaded`), or the keys to check tokens with cannot be loaded (`keys-unavailable`).",
    ),
    504: (
        "RuntimeTimeout",
        "The runtime did not answer in time, or with `only-if-cached` there is no stored answer.",
    ),
}
_RETRIED = frozenset({429, 503})

# Swagger UI fills its form with a parameter's example: only what does no harm when sent unread has one.
_PARAMETERS: dict[str, dict[str, Any]] = {
    "runId": {
        "name": "runId",
        "in": "path",
        "required": True,
        "description": "The run's id, as `/runs` lists it (an execution's id): ASCII letters, digits, `_`, `.`, `-`.",
        "schema": {"type": "string", "pattern": PATTERN},
        "example": _EXAMPLE_ID,
    },
    "AI-Connection": {
        "description": "Which runtime, by its name as `/connections` lists it; without it the default one.",
        "schema": {"type": "string"},
    },
    "AI-Resource-Group": {
        "description": "The resource group, of 4 characters at least, or an MLflow server's workspace, of 2 at least; "
        "without it the configured default.",
        "schema": {"type": "string", "pattern": GROUP_PATTERN},
    },
    "Time-Zone": {
        "description": "Time zone of all timestamps, where the query has no `timezone`: `America/Lima`, `-05:00`.",
        "schema": {"type": "string", "format": "time-zone", "minLength": 1},
    },
    "X-Request-ID": {
        "description": (
            "Follows the request through all servers. Made where it is missing or not well-formed; `X-CorrelationID`, "
            "`X-Correlation-ID` and `x-vcap-request-id` are taken as well."
        ),
        "schema": {"type": "string"},
    },
    "traceparent": {
        "description": "W3C Trace Context. Made where it is missing or not well-formed.",
        "schema": {"type": "string"},
    },
    "If-None-Match": {
        "description": "Entity tags that the client has; `304` if one of them is current.",
        "schema": {"type": "string"},
    },
    "Last-Event-ID": {
        "description": "The id of the last event received; `after` in the query takes precedence.",
        "schema": {"type": "string"},
    },
    "Prefer": {
        "description": (
            "`wait=30` with `If-None-Match`: the answer comes as soon as it differs, `304` after so many seconds, 60 "
            "at most (RFC 7240)."
        ),
        "schema": {"type": "string"},
    },
    "Cache-Control": {
        "description": (
            "`no-cache` is answered with data fetched after the request; `max-age`, `max-stale`, `min-fresh`, "
            "`no-store` and `only-if-cached` as RFC 9111 has them."
        ),
        "schema": {"type": "string"},
    },
}

_HEADERS: dict[str, tuple[str, Any]] = {
    "ETag": ("Strong entity tag of this very representation.", '"6YxZ8C0rFq1mN3pQbTzV"'),
    "Cache-Control": (
        "How long the answer is fresh, and how long it may be used after that (RFC 5861); `no-store` for one that "
        "lacks something that could not be read.",
        "private, max-age=300, stale-while-revalidate=30, stale-if-error=86400",
    ),
    "Vary": (
        "The request headers that the answer depends on.",
        "Accept, Accept-Encoding, Authorization, Cookie, AI-Connection, AI-Resource-Group, Time-Zone",
    ),
    "Age": ("Seconds since the request to the runtime.", "12"),
    "Cache-Status": (
        "Where the answer came from: the store or the runtime (RFC 9211).",
        "metric-resource; hit; ttl=288",
    ),
    "X-Request-ID": ("The request's id.", "5b1c1c3e-0d5a-4f5f-9b35-6f6f0d0a3c11"),
    "traceparent": ("The request's trace.", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    "Link": (
        "The next page of the same snapshot (RFC 8288), relative to the request's URL; absent on the last.",
        '<?limit=10&cursor=kp3Z…>; rel="next"',
    ),
    "Content-Disposition": (
        "In formats that are saved as files: a file name.",
        'attachment; filename="run1-metrics.csv"',
    ),
    "X-Total-Count": (
        "In formats without such a member, where filters or pages leave something out: how many match.",
        "10320",
    ),
    "X-Missing-Runs": (
        "With formats that have no such member: the runs that could not be read, at most 100 and how many more; absent "
        "where all could.",
        "d03b67e5-9a2c-4f81-8c5d-7f46e2a10b17",
    ),
    "Event-ID": (
        "The position of this answer among the run's events, to start a stream from (`Last-Event-ID`).",
        "lgHEDNi0…",
    ),
    "Preference-Applied": ("The preference of `Prefer` that was applied.", "wait=30"),
    "AI-Resource-Group": ("The request's resource group: the one it names, or the connection's own.", "default"),
    "Retry-After": ("Seconds after which to try again.", "5"),
    "WWW-Authenticate": (
        "What is wrong with the credentials (RFC 6750).",
        'Bearer realm="metric-resource", error="invalid_token", error_description="the token has expired"',
    ),
}


def headers(*names: str) -> dict[str, str]:
    """References to header components; apispec resolves their names."""
    return {name: name for name in names}


def parameters(
    query: type[Schema],
    *,
    zoned: bool,
    run: bool,
    formats: Sequence[Format],
    streamed: bool = False,
    awaited: bool = False,
) -> list[Any]:
    """The query parameters of a resource, and references to the other parameters."""
    names = ["AI-Connection", "AI-Resource-Group", "Time-Zone", "X-Request-ID", "traceparent", "If-None-Match"]
    names.append("Cache-Control")
    kept = [name for name in names if zoned or name != "Time-Zone"]
    if streamed:
        kept = ["Last-Event-ID" if name == "If-None-Match" else name for name in kept]
    return [
        *(["runId"] if run else []),
        {"in": "query", "schema": query(exclude=("format",))},
        _format_parameter(formats),
        *kept,
        *(["Prefer"] if awaited else []),
    ]


def _format_parameter(formats: Sequence[Format]) -> dict[str, Any]:
    """The query parameter ``format``, with the formats that a resource has."""
    excel = (
        f" `{CSV_EXCEL.name}` begins with a byte order mark, by which Excel recognises UTF-8."
        if CSV_EXCEL in formats
        else ""
    )
    return {
        "name": "format",
        "in": "query",
        "required": False,
        "description": "The answer's format. Takes precedence over `Accept`; for links and clients without headers."
        + excel,
        "schema": {"type": "string", "enum": [one.name for one in formats]},
    }


def responses(
    schemas: Mapping[Format, Any], *, run: bool, paged: bool = False, more: Sequence[str] = (), streamed: bool = False
) -> dict[str, Any]:
    """All answers of a resource; ``schemas`` are those of its formats, ``more`` names further headers."""
    impossible = (set() if run else {404, 501}) | (set() if paged else {410})
    statuses = [status for status in _PROBLEMS if status not in impossible]
    usual = ("Cache-Control", "Vary", *EVERY_ANSWER) if streamed else STORED_ANSWER
    common = headers(*usual, *(("Link",) if paged else ()), *more)
    current = {} if streamed else {"304": {"description": "The client has the current answer.", "headers": common}}
    return {
        "200": {
            "description": "OK",
            "headers": common,
            "content": {format.media_type: {"schema": schema} for format, schema in schemas.items()},
        },
        **current,
        **{str(status): _PROBLEMS[status][0] for status in statuses},
        "default": "Problem",
    }


def register(spec: Any) -> None:
    """Add all components to an ``apispec.APISpec``."""
    spec.components.security_scheme(
        "bearer",
        {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "An access token (RFC 6750)."},
    )
    for name, header in _HEADERS.items():
        spec.components.header(name, {"description": header[0], "schema": {"type": "string"}, "example": header[1]})
    for name, parameter in _PARAMETERS.items():
        location = parameter.get("in", "header")
        spec.components.parameter(name, location, {"name": name, "in": location, **parameter})
    for status, (name, description) in _PROBLEMS.items():
        spec.components.response(name, _problem(status, description))
    spec.components.response("Problem", _problem(500, "Any other error."))


def _problem(status: int, description: str) -> dict[str, Any]:
    names = ["Cache-Control", "Vary", *EVERY_ANSWER]
    names += ["Retry-After"] if status in _RETRIED else []
    names += ["WWW-Authenticate"] if status in {401, 403} else []
    return {
        "description": description,
        "headers": headers(*names),
        "content": {problems.MEDIA_TYPE: {"schema": ProblemSchema}},
    }
