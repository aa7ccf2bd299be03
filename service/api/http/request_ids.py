"""A request's ids: ``X-Request-ID`` and its aliases, and ``traceparent`` (W3C Trace Context)."""

from __future__ import annotations

import re
import secrets
import uuid
from collections.abc import Iterable
from typing import TypeGuard

REQUEST_ID_HEADERS = ("X-Request-ID", "X-CorrelationID", "X-Correlation-ID", "x-vcap-request-id")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._~:/+=@-]{1,128}", re.ASCII)
_TRACEPARENT = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?P<later>-[!-~]*)?", re.ASCII
)
_LONGEST_TRACEPARENT = 512


def request_id(candidates: Iterable[str | None]) -> str:
    """The first well-formed request id among the values of ``REQUEST_ID_HEADERS``, or a new one."""
    for given in candidates:
        if given is not None and _REQUEST_ID.fullmatch(given):
            return given
    return str(uuid.uuid4())


def traceparent(given: str | None) -> str:
    """The caller's ``traceparent`` if it is well-formed, or a new, unsampled one."""
    return given if is_traceparent(given) else new_traceparent()


def is_traceparent(given: str | None) -> TypeGuard[str]:
    """Whether that is a well-formed ``traceparent`` (W3C Trace Context, 3.2.2)."""
    if given is None or len(given) > _LONGEST_TRACEPARENT:
        return False
    match = _TRACEPARENT.fullmatch(given)
    return match is not None and not (given.startswith("00") and match["later"])


def new_traceparent() -> str:
    """The start of a trace that is not sampled."""
    random = secrets.token_hex(24)
    return f"00-{random[:32]}-{random[32:]}-00"
