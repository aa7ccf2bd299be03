"""What is known of the request being served."""

from __future__ import annotations

import re
import secrets
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeGuard, cast

from flask import g, request

from service.domain.access import AccessRule, Principal
from service.domain.runtime import DEFAULT_CONNECTION

_CURRENT = "current_request"


@dataclass(frozen=True, slots=True)
class RequestTrace:
    """A request's ids and the moments it is measured from: ``began`` on the performance clock, ``asked_at`` in seconds
    since the epoch."""

    request_id: str
    traceparent: str
    began: float = field(default_factory=time.perf_counter)
    asked_at: float = field(default_factory=time.time)


@dataclass(slots=True)
class CurrentRequest:
    """The request being served, filled in step by step: its trace, who asks and by which rule (``guards``), what is
    read for whom (``request``), and what its line in the log says of the answer.

    ``resource_group`` is ``None`` where the answer belongs to none; ``upstream_ms`` are the milliseconds that the
    runtime took; ``entry_key`` names the stored entry that the answer is made of, or the first of several, and ``ttl``
    is for how many seconds it stays fresh; ``problem`` is the slug of an error.
    """

    trace: RequestTrace
    access_rule: AccessRule | None = None
    principal: Principal | None = None
    connection: str = DEFAULT_CONNECTION
    resource_group: str | None = None
    cache_status: str | None = None
    upstream_ms: float | None = None
    entry_key: str = ""
    ttl: float = 0.0
    problem: str | None = None
    missing_scope: str | None = None
    refused_group: str | None = None


def current_request() -> CurrentRequest:
    """The request being served."""
    if _CURRENT not in g:
        trace = RequestTrace(
            request_id(map(request.headers.get, REQUEST_ID_HEADERS)), traceparent(request.headers.get("traceparent"))
        )
        setattr(g, _CURRENT, CurrentRequest(trace))
    return cast(CurrentRequest, getattr(g, _CURRENT))


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
