"""JSON text whose timestamps are in UTC, rewritten for a zone.

Only timestamps are changed: numbers, names and labels stay the same bytes. A timestamp is found by its member's name,
which is unambiguous in text whose objects have only known members: inside a string the quotes would be escaped. The
work is one split, two table look-ups for each timestamp, and one join; in UTC there is none.
"""

from __future__ import annotations

import re

from service.domain.timestamps import Moment, Reading, ZoneClock

_MEMBER = b'"timestamp":"'
_TIMESTAMP = re.compile(_MEMBER + rb'(.{16})([^Z"]*)Z"')


def utc_literal(moment: Moment | bytes | None) -> bytes:
    """A timestamp as a JSON literal in UTC; ``null`` for none; text outside the years of UTC stays as it is."""
    if moment is None:
        return b"null"
    if isinstance(moment, bytes):
        return b'"' + moment + b'"'
    return b'"' + moment.minute + moment.rest + b'Z"'


def localized(text: bytes, clock: ZoneClock) -> bytes:
    """JSON text with every ``"timestamp":"…Z"`` converted to the clock's zone."""
    if clock.is_utc:
        return text
    parts = _TIMESTAMP.split(text)
    minutes, rests = parts[1::3], parts[2::3]
    if not minutes:
        return text
    opening: dict[bytes, bytes] = {}
    closing: dict[bytes, bytes] = {}
    for minute in set(minutes):
        reading = clock.reading(minute)
        if reading is None:
            return _by_second(parts, clock)
        opening[minute], closing[minute] = _around(reading)
    pieces = [b""] * (4 * len(minutes) + 1)
    pieces[0::4] = parts[0::3]
    pieces[1::4] = map(opening.__getitem__, minutes)
    pieces[2::4] = rests
    pieces[3::4] = map(closing.__getitem__, minutes)
    return b"".join(pieces)


def localized_literal(literal: bytes, clock: ZoneClock) -> bytes:
    """One timestamp's literal, as written by ``utc_literal``, in the clock's zone."""
    if clock.is_utc or not literal.endswith(b'Z"'):
        return literal
    return b'"' + clock.write(Moment(literal[1:17], literal[17:-2])) + b'"'


def _around(reading: Reading) -> tuple[bytes, bytes]:
    return _MEMBER + reading.local, reading.offset + b'"'


def _by_second(parts: list[bytes], clock: ZoneClock) -> bytes:
    pieces = [parts[0]]
    for minute, rest, after in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        pieces += (_MEMBER, clock.write(Moment(minute, rest)), b'"', after)
    return b"".join(pieces)
