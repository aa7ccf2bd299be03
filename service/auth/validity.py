"""The validity period of a token (RFC 7519, 4.1.4 to 4.1.6)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from service.domain.errors import InvalidToken

_LATEST = 253_402_300_799
"""The last second of the year 9999, in seconds since the epoch, so that milliseconds are refused."""


def check_times(claims: Mapping[str, Any], now: float, leeway: float) -> None:
    """Check ``exp``, which is required, and ``nbf`` and ``iat`` where present. Raises ``InvalidToken``.

    ``now`` in seconds since the epoch; ``leeway`` in seconds, for differences of clocks.
    """
    if "exp" not in claims:
        raise InvalidToken("the token does not say when it expires")
    if now >= _moment(claims, "exp") + leeway:
        raise InvalidToken("the token has expired")
    if "nbf" in claims and now < _moment(claims, "nbf") - leeway:
        raise InvalidToken("the token is not valid yet")
    if "iat" in claims and now < _moment(claims, "iat") - leeway:
        raise InvalidToken("the token was issued in the future")


def _moment(claims: Mapping[str, Any], name: str) -> float:
    moment = claims[name]
    numeric = isinstance(moment, (int, float)) and not isinstance(moment, bool)
    if not numeric or not 0 <= moment <= _LATEST:
        raise InvalidToken(f"the token's {name} is not a time")
    return float(moment)
