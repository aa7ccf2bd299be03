"""The context of the request being served."""

from __future__ import annotations

import time
from typing import cast

import msgspec
from flask import g, request

from service.api.http.request_ids import REQUEST_ID_HEADERS, request_id, traceparent
from service.domain.access import AccessRule, Principal
from service.domain.runtime import DEFAULT_CONNECTION

_CURRENT = "current_request"


class RequestTrace(msgspec.Struct, frozen=True):
    """A request's ids and the moments it is measured from: ``began`` on the performance clock, ``asked_at`` in seconds
    since the epoch."""

    request_id: str
    traceparent: str
    began: float = msgspec.field(default_factory=time.perf_counter)
    asked_at: float = msgspec.field(default_factory=time.time)


class CurrentRequest(msgspec.Struct):
    """The request being served, filled in step by step: its trace, its caller and access rule (``guards``), connection
    and resource group (``request``), and facts about the answer for the access log.

    ``resource_group`` is ``None`` where the answer belongs to none; ``upstream_ms`` is the runtime's time in
    milliseconds; ``entry_key`` names the stored entry that the answer is made of, or the first of several, and ``ttl``
    its remaining freshness in seconds; ``problem`` is the slug of an error.
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
