"""Timestamps that compare as the instants do, whatever the number of their fraction digits."""

from __future__ import annotations

from datetime import datetime, timedelta

from service.domain.localizing import utc_literal
from service.domain.timestamps import MomentReader

_SECONDS = len("2026-03-29T01:00:13")
_CYCLE = 400
"""Years after which the Gregorian calendar repeats itself."""


def instant(literal: bytes) -> bytes | None:
    """What orders a timestamp's literal as a ``Chunk`` has it; ``None`` for ``null``.

    Seconds in UTC and the fraction without trailing zeros, ``2026-03-29T01:00:13.5``: bytes compare as instants do.
    """
    if literal.endswith(b'Z"'):
        return _trimmed(literal[1:-2])
    return None if literal == b"null" else _beyond(literal[1:-1])


def instant_of(text: str) -> bytes | None:
    """The same for RFC 3339 text in any offset; ``None`` where it is no timestamp."""
    try:
        return instant(utc_literal(MomentReader().read(text.encode("ascii"))))
    except UnicodeEncodeError:
        return None


def _trimmed(reading: bytes) -> bytes:
    return reading.rstrip(b"0").rstrip(b".") if len(reading) > _SECONDS else reading


def _beyond(reading: bytes) -> bytes:
    """A reading whose UTC falls outside the years 0001 to 9999, given with its offset.

    Calculated one cycle away. In ASCII ``/`` goes before ``0`` and ``:`` comes after ``9``, so ``/999`` is the year
    before 0000 and ``:000`` the one after 9999.
    """
    local, offset = reading[:-6], reading[-6:].decode("ascii")
    year = int(local[:4])
    away = _CYCLE if year < _CYCLE else -_CYCLE
    nearby = datetime.fromisoformat(f"{year + away:04d}{local[4:_SECONDS].decode('ascii')}")
    shift = timedelta(hours=int(offset[1:3]), minutes=int(offset[4:6]))
    utc = nearby + shift if offset.startswith("-") else nearby - shift
    return _trimmed(_four_digits(utc.year - away) + utc.isoformat()[4:].encode("ascii") + local[_SECONDS:])


def _four_digits(year: int) -> bytes:
    if year < 0:
        return b"/%03d" % (year + 1000)
    return b":%03d" % (year - 10_000) if year > 9999 else b"%04d" % year
