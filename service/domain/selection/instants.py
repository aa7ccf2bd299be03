"""Timestamps in a form that sorts like the instants, with any number of fraction digits."""

from __future__ import annotations

from datetime import datetime, timedelta

from service.domain.localizing import utc_literal
from service.domain.timestamps import MomentReader

_SECONDS = len("2026-03-29T01:00:13")
_CYCLE = 400
"""The period of the Gregorian calendar in years."""


def instant(literal: bytes) -> bytes | None:
    """The sortable form of a timestamp's literal in a ``Chunk``; ``None`` for ``null``.

    Seconds in UTC and the fraction without trailing zeros, ``2026-03-29T01:00:13.5``: bytes that sort like the
    instants.
    """
    if literal.endswith(b'Z"'):
        return _trimmed(literal[1:-2])
    return None if literal == b"null" else _beyond(literal[1:-1])


def instant_of(text: str) -> bytes | None:
    """The same for RFC 3339 text with any offset; ``None`` for other text."""
    try:
        return instant(utc_literal(MomentReader().read(text.encode("ascii"))))
    except UnicodeEncodeError:
        return None


def _trimmed(reading: bytes) -> bytes:
    return reading.rstrip(b"0").rstrip(b".") if len(reading) > _SECONDS else reading


def _beyond(reading: bytes) -> bytes:
    """The sortable form of a timestamp with an offset whose UTC is outside the years 0001 to 9999.

    It is calculated in another period of the calendar. In ASCII ``/`` is before ``0`` and ``:`` after ``9``, so
    ``/999`` is the year before 0000 and ``:000`` the one after 9999.
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
