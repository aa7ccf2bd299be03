"""Headers that every answer carries, and cross-origin access (Fetch standard, CORS protocol)."""

from __future__ import annotations

from collections.abc import Collection

from flask import Flask, Response, request
from werkzeug.exceptions import RequestHeaderFieldsTooLarge
from werkzeug.routing import RequestRedirect

from service.api.http.context import current_request
from service.api.http.relative_urls import relative
from service.api.http.request_ids import REQUEST_ID_HEADERS

_EXPOSED = (
    "ETag, Link, Cache-Status, Retry-After, X-Request-ID, X-Total-Count, X-Missing-Runs, Content-Disposition, "
    "Event-ID, Preference-Applied, AI-Resource-Group"
)
_ALLOWED = ", ".join(
    (
        "Authorization",
        "AI-Connection",
        "AI-Resource-Group",
        "Time-Zone",
        "Cache-Control",
        "If-None-Match",
        "Last-Event-ID",
        "Prefer",
        "traceparent",
        *REQUEST_ID_HEADERS,
    )
)
_METHODS = "GET, HEAD, OPTIONS"
LONGEST_LIST = 8192
"""Characters; some 200 entity tags."""
_LISTS = ("Accept", "Accept-Encoding", "Cache-Control", "If-None-Match", "Pragma")
_PREFLIGHT_SECONDS = "600"
_BODILESS = frozenset({204, 304})
"""Flask would add ``text/html`` to an empty body, and a cache would adopt that from a 304 (RFC 9111, 3.2)."""


def register(app: Flask, origins: Collection[str]) -> None:
    """Add the common headers to every answer; allow pages of ``origins`` to read them."""

    @app.before_request
    def begin() -> Response | None:
        current_request()
        _check_lists()
        if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
            return Response(status=204)
        if isinstance(request.routing_exception, RequestRedirect):
            return _with_slash()
        return None

    @app.after_request
    def finish(response: Response) -> Response:
        headers, trace = response.headers, current_request().trace
        if response.status_code in _BODILESS or (request.method == "OPTIONS" and response.status_code < 400):
            headers.pop("Content-Type", None)
        headers["X-Request-ID"] = trace.request_id
        headers["traceparent"] = trace.traceparent
        headers["X-Content-Type-Options"] = "nosniff"
        headers["Referrer-Policy"] = "no-referrer"
        headers.setdefault("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
        if origins:
            _allow(response, origins)
        return response


def _check_lists() -> None:
    """Limit the length of header fields that are lists, which are parsed element by element.

    Several fields of one name arrive joined, so the server's own limit on a field does not bound them.
    """
    for name in _LISTS:
        if len(request.headers.get(name, "")) > LONGEST_LIST:
            raise RequestHeaderFieldsTooLarge(f"{name} must not be longer than {LONGEST_LIST} characters in total")


def _with_slash() -> Response:
    """Redirect to the path with a slash at its end; Flask's own redirect is an absolute URL without the prefix."""
    query = request.query_string.decode("ascii", "replace")
    location = relative(request.path + "/") + (f"?{query}" if query else "")
    return Response(status=308, headers={"Location": location})


def _allow(response: Response, origins: Collection[str]) -> None:
    headers = response.headers
    headers["Vary"] = f"{headers['Vary']}, Origin" if "Vary" in headers else "Origin"
    origin = request.headers.get("Origin")
    if origin not in origins:
        return
    headers["Access-Control-Allow-Origin"] = origin
    headers["Access-Control-Expose-Headers"] = _EXPOSED
    if request.method == "OPTIONS":
        headers["Access-Control-Allow-Methods"] = _METHODS
        headers["Access-Control-Allow-Headers"] = _ALLOWED
        headers["Access-Control-Max-Age"] = _PREFLIGHT_SECONDS
