"""MLflow's instants, whole milliseconds since the epoch, as RFC 3339 text in UTC with three fraction digits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Raw

from service.domain.runs import NULL

FIRST, LAST = -62_135_596_800_000, 253_402_300_799_999
"""The years 0001 to 9999. MLflow accepts 64 bits; other instants have no RFC 3339 text."""
_MOST_DIGITS = 19
_WIDTH = len("2026-01-01T00:00:00.000Z")


def texts(instants: Sequence[int]) -> list[bytes] | None:
    """Each instant without quotes; ``None`` where one lies outside ``FIRST`` to ``LAST``."""
    if not instants:
        return []
    if min(instants) < FIRST or max(instants) > LAST:
        return None
    stamps = np.datetime_as_string(np.array(instants, "datetime64[ms]"), unit="ms")
    written = np.full((len(stamps), _WIDTH), ord("Z"), np.uint8)
    written[:, :-1] = stamps.view(np.uint32).reshape(len(stamps), -1)[:, : _WIDTH - 1]  # of UCS-4; astype takes longer
    found: list[bytes] = written.view(f"S{_WIDTH}").ravel().tolist()
    return found


def literal(given: Raw | bytes) -> bytes | None:
    """A JSON literal of one instant; ``None`` for an invalid one or one without RFC 3339 text. ``null`` stays
    ``null``."""
    if bytes(given) == NULL:
        return NULL
    instant = integer(given)
    found = None if instant is None else texts([instant])
    return None if found is None else b'"' + found[0] + b'"'


def integer(given: Raw | bytes) -> int | None:
    """A JSON literal of an integer of up to 64 bits; ``None`` for any other."""
    written = bytes(given).strip(b'"')  # protobuf's JSON has 64 bits as a string
    digits = written.removeprefix(b"-")
    return int(written) if digits.isdigit() and len(digits) <= _MOST_DIGITS else None
