"""Time zones: IANA names and fixed offsets, read from the ``tzdata`` package only.

The operating system's database is not used, so that all machines give the same results, and names cannot be paths.
"""

from __future__ import annotations

import re
from datetime import UTC, timedelta, timezone, tzinfo
from functools import cache, lru_cache
from importlib import resources
from zoneinfo import ZoneInfo

import msgspec

_FIXED_OFFSET = re.compile(r"([+-])([01][0-9]|2[0-3]):?([0-5][0-9])", re.ASCII)
_NO_ZONE = "Factory"
"""The name in tzdata for a machine without a configured zone."""
_NAMES_OF_UTC = frozenset({"UTC", "Etc/UTC", "UCT", "Etc/UCT", "Universal", "Etc/Universal", "Zulu", "Etc/Zulu"})


class TimeZone(msgspec.Struct, frozen=True):
    """A zone by its IANA name or as ``±hh:mm``; ``is_utc`` where its instants are written with ``Z``."""

    name: str
    rules: tzinfo
    is_utc: bool


class UnknownTimeZone(ValueError):
    """The name is neither an IANA zone nor a fixed offset ``±hh:mm`` or ``±hhmm``."""


@cache
def zone_names() -> frozenset[str]:
    """All IANA names, including links."""
    return frozenset((resources.files("tzdata") / "zones").read_text("ascii").split()) - {_NO_ZONE}


def same_but_for_case(name: str) -> str | None:
    """The IANA name that equals ``name`` except for case and blanks, if there is one."""
    return _folded_names().get(_folded(name))


@cache
def _folded_names() -> dict[str, str]:
    return {_folded(name): name for name in zone_names()}


def _folded(name: str) -> str:
    return name.strip().replace(" ", "_").casefold()


@lru_cache(maxsize=4096)
def time_zone(name: str) -> TimeZone:
    """Return the zone called ``name``: an IANA name, exactly as spelled there, ``±hh:mm`` or ``±hhmm``.

    Raises ``UnknownTimeZone`` otherwise.
    """
    if name in zone_names():
        is_utc = name in _NAMES_OF_UTC
        return TimeZone(name, UTC if is_utc else _load(name), is_utc)
    fixed = _FIXED_OFFSET.fullmatch(name)
    if fixed is None:
        raise UnknownTimeZone(name)
    offset = timedelta(hours=int(fixed[2]), minutes=int(fixed[3]))
    return TimeZone(f"{fixed[1]}{fixed[2]}:{fixed[3]}", timezone(-offset if fixed[1] == "-" else offset), not offset)


def is_time_zone(name: str) -> bool:
    """Whether ``time_zone`` knows the name."""
    try:
        time_zone(name)
    except UnknownTimeZone:
        return False
    return True


def _load(name: str) -> ZoneInfo:
    with (resources.files("tzdata") / "zoneinfo" / name).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)
