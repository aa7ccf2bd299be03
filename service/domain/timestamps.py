"""Timestamps (RFC 3339), read once and written in any zone without losing a digit.

Zones differ by whole minutes, so only a timestamp's *minute* depends on the zone: its seconds and fraction pass through
as text. A timestamp is therefore read as a ``Moment``: the minute in UTC (``2026-03-29T01:00``) and the rest
(``:13.123456``). The local time of a minute is computed once per zone and remembered (``ZoneClock``).

Three kinds of timestamps cannot be converted exactly:

- Offsets with seconds (local mean time, mostly before 1920; Monrovia until 1972): RFC 3339 has hours and minutes only.
  The offset is rounded to the nearest minute (half a minute away from zero) and the local time adjusted, so that the
  instant stays the same.
- A leap second, ``:60``: most parsers refuse it, so it becomes ``:59``; the fraction stays.
- A local time outside the years 0001 to 9999 (``9999-12-31T23:30:00Z`` in Tokyo): it is written in UTC, or as received
  where UTC is outside, too.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from service.domain.zones import TimeZone

_RFC3339 = re.compile(
    rb"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt]([0-9]{2}:[0-9]{2})"  # date, minute
    rb"(:(?:[0-5][0-9]|60)(?:\.[0-9]+)?)"  # seconds and fraction
    rb"([Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
)
_MINUTE = timedelta(minutes=1)
REMEMBERED_MINUTES = 16_384
"""Minutes remembered by a zone's clock: eleven days; some 330 bytes each."""
_MOST_SHAPES = 32
_LEAST_WIDTH = len("2026-03-29T01:00:13Z")
_DIGITS = bytes.maketrans(b"123456789", b"0" * 9)
_UTC_SHAPE = re.compile(rb"0000-00-00T00:00:00(?:\.0+)?(?:Z|\+00:00)")
_TENS_OF_SECONDS = frozenset("012345")
_CLOCKS = frozenset(f"{hour:02}:{minute:02}" for hour in range(24) for minute in range(60))


class Moment(NamedTuple):
    """``minute`` in UTC, ``2026-03-29T01:00``; ``rest``: seconds and fraction as the runtime wrote them, ``:13.5``."""

    minute: bytes
    rest: bytes


class Reading(NamedTuple):
    """The local time and offset of a minute: ``2026-03-29T03:00`` and ``+02:00``."""

    local: bytes
    offset: bytes


class MomentReader:
    """Reads timestamps and remembers their minutes; made for each pass over an answer."""

    def __init__(self) -> None:
        self._minutes: dict[tuple[bytes, bytes, bytes], bytes | None] = {}
        self._dates: dict[str, bool] = {}

    def read(self, text: bytes) -> Moment | bytes | None:
        """The moment of an RFC 3339 ``text``.

        Returns the text itself, in upper case, for a timestamp whose UTC minute is outside the years 0001 to 9999, and
        ``None`` for other text.
        """
        match = _RFC3339.fullmatch(text)
        if match is None:
            return None
        date, clock, rest, offset = match.groups()
        if rest.startswith(b":60"):
            rest = b":59" + rest[3:]
        key = (date, clock, offset)
        try:
            minute = self._minutes[key] if key in self._minutes else self._minutes.setdefault(key, _utc_minute(*key))
        except ValueError:
            return None
        if minute is None:
            return date + b"T" + clock + rest + offset.upper()
        return Moment(minute, rest)

    def all_utc(self, texts: list[str]) -> bool:
        """Whether every one of ``texts`` is a timestamp in UTC, upper case, of the years 0001 to 9999, no leap second.

        True only where nothing has to be rewritten except ``+00:00`` to ``Z``. Many are checked at once: their shapes
        by replacing all digits by zeros, each distinct minute once.
        """
        try:
            lines = "\n".join(texts).encode("ascii")
        except UnicodeEncodeError:
            return False
        shapes = _shapes(lines, len(texts))
        return (
            len(shapes) <= _MOST_SHAPES
            and lines.count(b"\n") == len(texts) - 1
            and lines.count(b"Z") + lines.count(b"+00:00") == len(texts)
            and all(map(_UTC_SHAPE.fullmatch, shapes))
            and {text[17] for text in texts} <= _TENS_OF_SECONDS
            and {text[11:16] for text in texts} <= _CLOCKS
            and all(map(self._is_date, {text[:10] for text in texts}))
        )

    def all_utc_cells(self, cells: NDArray[np.uint8]) -> bool:
        """As ``all_utc``, of texts that are rows, with zero bytes behind the shorter ones and nowhere else."""
        count, width = cells.shape
        if width < _LEAST_WIDTH:
            return False
        texts = cells.tobytes()
        offsets = texts.count(b"+00:00") if b"+" in texts else 0
        if texts.count(b"Z") + offsets != count:
            return False
        zeros = texts.translate(_DIGITS)
        first = zeros[:width]
        alike = zeros == first * count
        shapes = {first} if alike else {zeros[at : at + width] for at in range(0, len(zeros), width)}
        if len(shapes) > _MOST_SHAPES or not all(_UTC_SHAPE.fullmatch(shape.rstrip(b"\0")) for shape in shapes):
            return False
        ten_hours, hours, ten_minutes, ten_seconds = (cells[:, at] for at in (11, 12, 14, 17))
        if (ten_seconds > ord("5")).any() or (ten_minutes > ord("5")).any():
            return False
        if ((ten_hours > ord("2")) | ((ten_hours == ord("2")) & (hours > ord("3")))).any():
            return False
        dates = np.ascontiguousarray(cells[:, :10]).view("S10")[:, 0]
        others = dates[1:][dates[1:] != dates[:-1]]
        return all(self._is_date(date.decode("ascii")) for date in {dates[0], *others.tolist()})

    def _is_date(self, date: str) -> bool:
        if date not in self._dates:
            try:
                self._dates[date] = bool(datetime.fromisoformat(date))
            except ValueError:
                self._dates[date] = False
        return self._dates[date]


def _shapes(lines: bytes, count: int) -> set[bytes]:
    """The distinct shapes of the lines, with zeros for all digits."""
    zeros = lines.translate(_DIGITS)
    first, _, _ = zeros.partition(b"\n")
    alike = len(zeros) == (len(first) + 1) * count - 1  # otherwise the result may be far longer than the lines
    return {first} if alike and zeros == b"\n".join([first] * count) else set(zeros.split(b"\n"))


class ZoneClock:
    """The local times of UTC minutes in one zone. Thread-safe."""

    def __init__(self, zone: TimeZone) -> None:
        self._zone = zone
        self.is_utc = zone.is_utc
        self._readings: dict[bytes, Reading | None] = {}  # read for each point: lru_cache takes twice as long

    def reading(self, minute: bytes) -> Reading | None:
        """The local time of a UTC minute; ``None`` where the zone's offset changes within it."""
        if self.is_utc:
            return Reading(minute, b"Z")
        try:
            return self._readings[minute]
        except KeyError:
            if len(self._readings) >= REMEMBERED_MINUTES:
                self._readings.clear()
            return self._readings.setdefault(minute, self._look_up(minute))

    def write(self, moment: Moment) -> bytes:
        """The moment in this zone, RFC 3339, without quotes."""
        reading = self.reading(moment.minute) or self._read_second(moment.minute, int(moment.rest[1:3]))
        return reading.local + moment.rest + reading.offset

    def _look_up(self, minute: bytes) -> Reading | None:
        first, last = self._read_second(minute, 0), self._read_second(minute, 59)
        return first if first == last else None

    def _read_second(self, minute: bytes, second: int) -> Reading:
        try:
            instant = datetime.fromisoformat(minute.decode("ascii")).replace(second=second, tzinfo=UTC)
            offset = _rounded(instant.astimezone(self._zone.rules).utcoffset() or timedelta())
            local = instant.replace(tzinfo=None) + offset * _MINUTE
        except (OverflowError, ValueError):  # also a minute of the year 0000, which is UTC as it is
            return Reading(minute, b"Z")
        return Reading(local.isoformat(timespec="minutes").encode("ascii"), _offset_text(offset))


def _utc_minute(date: bytes, clock: bytes, offset: bytes) -> bytes | None:
    """The minute in UTC, ``None`` outside the years 0001 to 9999. Raises ``ValueError`` for an invalid day."""
    if clock.startswith(b"24"):  # Python 3.14 and later accept hour 24, which RFC 3339 does not have
        raise ValueError(clock)
    if date.startswith(b"0000"):
        datetime.fromisoformat((b"2000" + date[4:] + b"T" + clock).decode("ascii"))
        return None
    local = datetime.fromisoformat((date + b"T" + clock).decode("ascii"))
    if offset in {b"Z", b"z"}:
        return date + b"T" + clock
    shift = timedelta(hours=int(offset[1:3]), minutes=int(offset[4:6]))
    try:
        moved = local + shift if offset.startswith(b"-") else local - shift
    except OverflowError:
        return None
    return moved.isoformat(timespec="minutes").encode("ascii")


def _rounded(offset: timedelta) -> int:
    """An offset in whole minutes, with half a minute rounded away from zero."""
    seconds = int(offset.total_seconds())
    minutes = (abs(seconds) + 30) // 60
    return -minutes if seconds < 0 else minutes


def _offset_text(minutes: int) -> bytes:
    sign = "-" if minutes < 0 else "+"
    return f"{sign}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}".encode("ascii")


@lru_cache(maxsize=32)
def zone_clock(zone: TimeZone) -> ZoneClock:
    """The zone's clock, with its remembered minutes. Callers choose the zones, loggers the minutes, so few are kept."""
    return ZoneClock(zone)
