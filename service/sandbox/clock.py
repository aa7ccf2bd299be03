"""Points in time, as the sandbox writes and accepts them."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_RFC_3339 = re.compile(
    r"\d{4}-(?P<month>\d\d)-(?P<day>\d\d)[Tt ](?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)(?:\.\d+)?"
    r"(?:[Zz]|[+-](?P<hours>\d\d):(?P<minutes>\d\d))",
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
    return all(int(value) <= _HIGHEST[name] for name, value in match.groupdict().items() if value is not None)
