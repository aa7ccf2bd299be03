"""JSON text in which every timestamp is left open, to be filled for a zone.

A template is UTF-8 JSON in which each timestamp string is written ``"␞minute␞rest␞"``: between the quotes the UTC
minute and the seconds of a ``Moment``, set off by U+001E, which JSON text cannot contain unescaped. Templates can be
concatenated like the JSON they are. Filling one touches no number, name or label: they pass as the bytes the runtime
sent, and the work is one split, one table look-up a timestamp, and one join.
"""

from __future__ import annotations

from service.domain.timestamps import Moment, Reading, ZoneClock

MARK = b"\x1e"


def open_timestamp(moment: Moment | bytes | None) -> bytes:
    """A timestamp as a JSON value with its minute left open; ``null`` for none, text that is fixed already as it is."""
    if moment is None:
        return b"null"
    if isinstance(moment, bytes):
        return b'"' + moment + b'"'
    return b'"' + MARK + moment.minute + MARK + moment.rest + MARK + b'"'


def fill(template: bytes, clock: ZoneClock) -> bytes:
    """The template's JSON with every timestamp in the clock's zone."""
    parts = template.split(MARK)
    if len(parts) == 1:
        return template
    minutes, rests = parts[1::3], parts[2::3]
    table: dict[bytes, Reading] = {}
    for minute in set(minutes):
        reading = clock.reading(minute)
        if reading is None:
            return _fill_by_second(parts, clock)
        table[minute] = reading
    pieces = [b""] * (2 * len(minutes) + 1)
    pieces[0::2] = parts[0::3]
    pieces[1::2] = [
        local + rest + offset for (local, offset), rest in zip(map(table.__getitem__, minutes), rests, strict=True)
    ]
    return b"".join(pieces)


def _fill_by_second(parts: list[bytes], clock: ZoneClock) -> bytes:
    pieces = [parts[0]]
    for minute, rest, after in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        pieces += (clock.write(Moment(minute, rest)), after)
    return b"".join(pieces)
