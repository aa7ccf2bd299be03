"""Timestamps of the sandbox."""

from __future__ import annotations

import calendar
import re
from datetime import UTC, datetime

_RFC_3339 = re.compile(
    r"\d{4}-(?P<month>\d\d)-(?P<day>\d\d)[Tt ](?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)(?:\.\d+)?"
    r"(?P<offset>[Zz]|[+-](?P<hours>\d\d):(?P<minutes>\d\d))",
    re.ASCII,
)
_HIGHEST = {"month": 12, "day": 31, "hour": 23, "minute": 59, "second": 60, "hours": 23, "minutes": 59}


def now() -> str:
    """This moment in UTC with microseconds, as in ``2026-03-29T01:00:00.123456Z``."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def is_timestamp(text: str) -> bool:
    """Whether ``text`` is RFC 3339, any number of fractional digits, a leap second and lower case included."""
    match = _RFC_3339.fullmatch(text)
    if match is None or match["month"] == "00" or match["day"] == "00":
        return False
    return all(int(match[name]) <= highest for name, highest in _HIGHEST.items() if match[name] is not None)


def nanoseconds(text: str) -> int:
    """The instant that an RFC 3339 timestamp names, in nanoseconds since the epoch; further digits are cut."""
    match = _RFC_3339.fullmatch(text)
    if match is None or not is_timestamp(text):
        raise ValueError(f"not a timestamp: {text!r}")
    date, clock = text[:10], text[11:19]
    fraction = text[20 : match.start("offset")] if text[19] == "." else ""
    parts = [int(part) for part in (*date.split("-"), *clock.split(":"))]
    shift = 60 * (60 * int(match["hours"] or 0) + int(match["minutes"] or 0))
    seconds = calendar.timegm((*parts, 0, 0, 0)) - (-shift if match["offset"].startswith("-") else shift)
    return seconds * 10**9 + int(fraction[:9].ljust(9, "0"))
