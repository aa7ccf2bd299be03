"""MLflow's instants, whole milliseconds since the epoch, as RFC 3339 text in UTC with three fraction digits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Raw

from service.domain.runs import NULL

FIRST, LAST = -62_135_596_800_000, 253_402_300_799_999
"""The years 0001 to 9999. MLflow accepts 64 bits; other instants have no RFC 3339 text."""
_MOST_DIGITS = 19
_DAY = 86_400_000
_FORM = np.frombuffer(b"0000-00-00T00:00:00.000Z", np.uint8)
_DIGITS = np.array([list(b"%03d" % number) for number in range(1000)], np.uint8)
"""The three digits of a number."""


def texts(instants: Sequence[int]) -> list[bytes] | None:
    """Each instant without quotes; ``None`` where one lies outside ``FIRST`` to ``LAST``."""
    if not instants:
        return []
    if min(instants) < FIRST or max(instants) > LAST:
        return None
    days, of_day = np.divmod(np.array(instants, np.int64), _DAY)
    distinct, places = np.unique(days, return_inverse=True)
    dates = np.datetime_as_string(distinct.astype("datetime64[D]")).view(np.uint32).reshape(len(distinct), -1)
    seconds, milliseconds = np.divmod(of_day, 1000)
    minutes, seconds = np.divmod(seconds, 60)
    hours, minutes = np.divmod(minutes, 60)
    written = np.tile(_FORM, (len(instants), 1))
    written[:, :10] = dates[places, :10]  # of UCS-4; astype takes longer
    for begin, part in ((11, hours), (14, minutes), (17, seconds)):
        written[:, begin : begin + 2] = _DIGITS[part, 1:]
    written[:, 20:23] = _DIGITS[milliseconds]
    found: list[bytes] = written.view(f"S{_FORM.size}").ravel().tolist()
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
