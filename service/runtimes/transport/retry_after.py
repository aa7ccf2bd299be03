"""The ``Retry-After`` header (RFC 9110, 10.2.3)."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import overload

LONGEST = 60.0
"""Seconds; no server may silence the service for longer."""


def retry_after(headers: Mapping[str, str], now: float | None = None) -> float | None:
    """Seconds to wait, from 0 to ``LONGEST``, or ``None`` where there is no readable wish.

    ``now`` is in seconds since the epoch; a date is measured against the clock here, as RFC 9110 has it.
    """
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return min(LONGEST, float(value[:9]))
    try:
        moment = parsedate_to_datetime(value).timestamp()
    except (ValueError, OverflowError):
        return None
    return min(LONGEST, max(0.0, moment - (time.time() if now is None else now)))


@overload
def whole_seconds(seconds: float) -> int: ...
@overload
def whole_seconds(seconds: float | None) -> int | None: ...
def whole_seconds(seconds: float | None) -> int | None:
    """Rounded up, at least 1."""
    return None if seconds is None else max(1, math.ceil(seconds))
