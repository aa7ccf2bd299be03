"""The token endpoint's answer (RFC 6749, 5.1)."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import Any

import msgspec

from service.domain.errors import BadGateway

_USUAL_LIFETIME = 300.0
"""Seconds, where the answer does not tell; RFC 6749 leaves it open then."""
_SHORTEST, _LONGEST = 1.0, 86400.0
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")
"""RFC 6750, 2.1: ``b64token``. Anything else could break out of the header it is sent in."""
_MOST_CHARACTERS = 16 * 1024
_SHAPE = "the authorization server's answer is not an access token"


@dataclass(frozen=True, slots=True)
class Grant:
    """An access token as it is sent, and its lifetime in seconds from when it was asked for."""

    authorization: str = field(repr=False)
    lifetime: float


def grant_of(body: bytes) -> Grant:
    """Raises ``BadGateway`` for all that is not a bearer token. A lifetime that makes no sense counts as not given."""
    try:
        answer = msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise BadGateway(_SHAPE) from None
    token, kind = answer.get("access_token"), answer.get("token_type", "bearer")
    if not isinstance(kind, str) or kind.lower() != "bearer":
        raise BadGateway(_SHAPE)
    if not isinstance(token, str) or len(token) > _MOST_CHARACTERS or not _TOKEN.fullmatch(token):
        raise BadGateway(_SHAPE)
    return Grant(f"Bearer {token}", _lifetime(answer.get("expires_in")))


def _lifetime(expires_in: object) -> float:
    if isinstance(expires_in, bool) or not isinstance(expires_in, int | float | str):
        return _USUAL_LIFETIME
    try:
        seconds = float(expires_in)
    except (ValueError, OverflowError):
        return _USUAL_LIFETIME
    return _USUAL_LIFETIME if math.isnan(seconds) else min(_LONGEST, max(_SHORTEST, seconds))
