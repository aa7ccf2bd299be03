"""Local times as labels. A place is a local time in seconds, as if it were UTC."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

_LAST = datetime.max.replace(tzinfo=UTC)
"""For the last fraction of a second of the year 9999, which a ``float`` rounds up."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = 86_400.0
_LENGTHS = (len("17:49"), len("17:49:12"), len("17:49:12.396"), len("17:49:12.396901"))


def only_day(places: Sequence[float]) -> date | None:
    """The day that all places lie in, if it is one."""
    days = {_moment(place).date() for place in (min(places), max(places))} if places else set()
    return days.pop() if len(days) == 1 else None


def tick_format(places: Sequence[float]) -> str:
    """The d3 format of an axis over ``places``: as fine as it needs to be, with the day where there are several."""
    span = max(places) - min(places) if places else 0.0
    if span > 20 * _DAY:
        return "%Y-%m-%d"
    clock = "%H:%M" if span > 1200 else "%H:%M:%S" if span > 4 else "%H:%M:%S.%L"
    return clock if only_day(places) else f"%m-%d {clock}"


def labels(places: Sequence[float]) -> list[str]:
    """A label for each place, as short as tells them apart."""
    day_format = "" if only_day(places) else "%m-%d "
    days = [_moment(place).strftime(day_format) for place in places]
    clocks = [_moment(place).strftime("%H:%M:%S.%f") for place in places]
    for length in _LENGTHS:
        made = [day + clock[:length] for day, clock in zip(days, clocks, strict=True)]
        if len(set(made)) == len(made):
            return made
    return [f"{label} ({number})" for number, label in enumerate(made, 1)]


def _moment(place: float) -> datetime:
    try:
        return _EPOCH + timedelta(seconds=place)
    except OverflowError:
        return _LAST
