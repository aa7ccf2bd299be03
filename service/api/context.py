"""What is known of the request being served."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import cast

from flask import g, request

from service.api.request_ids import REQUEST_ID_HEADERS, request_id, traceparent
from service.domain.access import Principal


@dataclass(slots=True)
class Trail:
    """A request's ids and the moments it is measured from: ``began`` on the performance clock, ``asked_at`` in seconds
    since the epoch."""

    request_id: str
    traceparent: str
    began: float = field(default_factory=time.perf_counter)
    asked_at: float = field(default_factory=time.time)


def trail() -> Trail:
    """The trail of the request being served."""
    if "trail" not in g:
        g.trail = Trail(
            request_id(map(request.headers.get, REQUEST_ID_HEADERS)), traceparent(request.headers.get("traceparent"))
        )
    return cast(Trail, g.trail)


def principal() -> Principal:
    """The verified caller; only on routes that ask for one."""
    return cast(Principal, g.principal)
