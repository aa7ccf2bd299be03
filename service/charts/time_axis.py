"""Axes of time: labels in local time, and ticks at round local times.

A place on an axis of time is an instant, in seconds since 1970 in UTC, so that points of a repeated hour stay apart.
Only labels are local.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta

import msgspec

from service.domain.timestamps import Moment, ZoneClock

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - a local time
_EPOCH_UTC = _EPOCH.replace(tzinfo=UTC)
_FIRST, _LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
_DAY = timedelta(days=1)
_MONDAY = timedelta(days=4)
"""From the epoch to its first Monday, at which weeks begin."""
_STEPS = (
    *(timedelta(milliseconds=number) for number in (1, 2, 5, 10, 20, 50, 100, 200, 500)),
    *(timedelta(seconds=number) for number in (1, 2, 5, 10, 15, 30)),
    *(timedelta(minutes=number) for number in (1, 2, 5, 10, 15, 30)),
    *(timedelta(hours=number) for number in (1, 2, 3, 6, 12)),
    *(timedelta(days=number) for number in (1, 2, 7, 14)),
)
"""The resolution of Vega's axes of time: a millisecond."""
_MONTHS = (1, 2, 3, 6, *(12 * digit * 10**power for power in range(4) for digit in (1, 2, 5)))
_MONTH = timedelta(days=30)
_PROBES = 4
_LENGTHS = (len("17:49"), len("17:49:12"), len("17:49:12.396"), len("17:49:12.396901"))
_ZEROS = ":00.000000"


class Label(msgspec.Struct, frozen=True):
    """A local time; ``offset`` where that time is repeated, otherwise empty."""

    text: str
    offset: str = ""

    def __str__(self) -> str:
        return f"{self.text} {self.offset}" if self.offset else self.text


class LocalClock:
    """A zone's clock. ``day`` is the local day of all instants, if it is the same; labels leave it out."""

    def __init__(self, clock: ZoneClock, instants: Sequence[float]) -> None:
        self._clock = clock
        days = {self.read(instant).date() for instant in (min(instants), max(instants))} if instants else set()
        self.day: date | None = days.pop() if len(days) == 1 else None

    def read(self, instant: float) -> datetime:
        """The local time, with its offset; UTC where that is outside the years 1 to 9999."""
        return self._read(_utc(instant))

    def ticks(self, start: float, end: float, most: int) -> list[float]:
        """Instants from ``start`` to ``end`` with round local times, ``most`` or a few more."""
        if start == end:
            return [start]
        found = {instant for time in self._round_times(start, end, most) for instant in self._instants(time)}
        return sorted(instant for instant in found if start <= instant <= end) or list(milliseconds_around(start, end))

    def exact_labels(self, instants: Sequence[float]) -> list[Label]:
        """Labels that are exact to the microsecond, no longer than needed."""
        clocks = [self._clock_text(instant)[_LENGTHS[0] :] for instant in instants]
        digits = max((len(clock.rstrip("0").rstrip(".")) for clock in clocks if clock != _ZEROS), default=0)
        return self._labels(instants, next(length for length in _LENGTHS if length >= _LENGTHS[0] + digits))

    def distinct_labels(self, instants: Sequence[float], *, exact: bool) -> list[str]:
        """Labels that are all different, and no longer than needed for that, or to be ``exact``."""
        texts = [str(label) for label in self.exact_labels(instants)]
        for length in () if exact else _LENGTHS:
            shorter = [str(label) for label in self._labels(instants, length)]
            if len(set(shorter)) == len(shorter):
                return shorter
        different = len(set(texts)) == len(texts)
        return texts if different else [f"{text} ({number})" for number, text in enumerate(texts, 1)]

    def _labels(self, instants: Sequence[float], length: int) -> list[Label]:
        read = [self.read(instant) for instant in instants]
        if self.day is None and all(time.time() == time.min.time() for time in read):
            return [Label(time.date().isoformat(), self._offset(time)) for time in read]
        start = len("2026-") if len({time.year for time in read}) == 1 else 0
        days = ["" if self.day is not None else f"{time.date().isoformat()[start:]} " for time in read]
        clocks = [self._clock_text(instant)[:length] for instant in instants]
        return [Label(day + clock, self._offset(time)) for day, clock, time in zip(days, clocks, read, strict=True)]

    def _clock_text(self, instant: float) -> str:
        return self.read(instant).strftime("%H:%M:%S.%f")

    def _offset(self, time: datetime) -> str:
        again = len(self._instants(time.replace(tzinfo=None))) > 1
        return time.isoformat(timespec="minutes")[-len("+02:00") :] if again else ""

    def _read(self, utc: datetime) -> datetime:
        minute = utc.replace(tzinfo=None).isoformat(timespec="minutes")
        moment = Moment(minute.encode("ascii"), utc.strftime(":%S.%f").encode("ascii"))
        return datetime.fromisoformat(self._clock.write(moment).decode("ascii"))

    def _instants(self, local: datetime) -> list[float]:
        """The instants of the time ``local``: one, two where it is repeated, none where it is skipped."""
        offsets = {self._read(_moved(local, by)).utcoffset() or timedelta() for by in (-_DAY, timedelta(), _DAY)}
        instants = {_moved(local, -offset) for offset in offsets}
        shown = [utc for utc in instants if self._read(utc).replace(tzinfo=None) == local]
        return [(utc - _EPOCH_UTC) / timedelta(seconds=1) for utc in shown]

    def _round_times(self, start: float, end: float, most: int) -> Iterator[datetime]:
        """Local times, including all round ones from ``start`` to ``end``."""
        span = timedelta(seconds=end - start)
        step = next((step for step in _STEPS if step * most >= span), None)
        if step is None:
            yield from self._round_months(start, end, next(count for count in _MONTHS if _MONTH * count * most >= span))
            return
        origin = _EPOCH + (_MONDAY if step >= timedelta(days=7) else timedelta())
        for offset in {self.read(start + (end - start) * part / _PROBES).utcoffset() for part in range(_PROBES + 1)}:
            first = _utc(start).replace(tzinfo=None) + (offset or timedelta()) - origin
            number = -(-first // step)
            for further in range(most + 2):
                yield origin + (number + further) * step

    def _round_months(self, start: float, end: float, months: int) -> Iterator[datetime]:
        first, last = self.read(start), self.read(end)
        number = (12 * first.year + first.month - 1) // months * months
        while number <= 12 * last.year + last.month - 1:
            if number >= 12:
                yield datetime(number // 12, number % 12 + 1, 1)  # noqa: DTZ001 - a local time
            number += months


def milliseconds_around(start: float, end: float) -> tuple[float, float]:
    """The interval extended to whole milliseconds, in seconds."""
    return math.floor(start * 1000) / 1000, math.ceil(end * 1000) / 1000


def _utc(instant: float) -> datetime:
    try:
        return _EPOCH_UTC + timedelta(seconds=instant)
    except OverflowError:  # a fraction of a second rounded up by ``float``
        return _LAST


def _moved(local: datetime, by: timedelta) -> datetime:
    """``local`` moved as if it were UTC, within the years 1 to 9999."""
    try:
        return (local + by).replace(tzinfo=UTC)
    except OverflowError:
        return _FIRST if by < timedelta() else _LAST
