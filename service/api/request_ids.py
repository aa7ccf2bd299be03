"""The ids that follow a request through all servers: request id, and W3C Trace Context ``traceparent``."""

from __future__ import annotations

import re
import secrets
import uuid

from werkzeug.datastructures import Headers

REQUEST_ID_HEADERS = ("X-Request-ID", "X-CorrelationID", "X-Correlation-ID", "x-vcap-request-id")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._~:/+=@-]{1,128}", re.ASCII)
_TRACEPARENT = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?P<later>-[!-~]*)?", re.ASCII
)
_LONGEST_TRACEPARENT = 512


def request_id(headers: Headers) -> str:
    """The first well-formed request id among the headers, or a new one."""
    for name in REQUEST_ID_HEADERS:
        given = headers.get(name)
        if given is not None and _REQUEST_ID.fullmatch(given):
            return given
    return str(uuid.uuid4())


def traceparent(headers: Headers) -> str:
    """The caller's ``traceparent`` if it is well-formed (W3C Trace Context, 3.2.2), or a new, unsampled one."""
    given = headers.get("traceparent")
    if given is not None and len(given) <= _LONGEST_TRACEPARENT:
        match = _TRACEPARENT.fullmatch(given)
        if match and not (given.startswith("00") and match["later"]):
            return given
    return new_traceparent()


def new_traceparent() -> str:
    """The start of a trace that nobody samples."""
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-00"
