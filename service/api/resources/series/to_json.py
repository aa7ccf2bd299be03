"""Series as JSON in the caller's time zone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from service.api.resources.metric_resource.to_json import warnings
from service.domain.localizing import localized
from service.domain.metrics import Unreadable
from service.domain.series.series import Series
from service.domain.timestamps import ZoneClock, zone_clock
from service.domain.zones import TimeZone

_AT_ONCE = 2000


def progress(run_id: str, series: Sequence[Series], zone: TimeZone, unreadable: Unreadable) -> Iterator[bytes]:
    """The answer, in pieces. ``unreadable`` counts the members of the run's points that could not be read."""
    clock = zone_clock(zone)
    yield b'{"runId":"%b","timezone":"%b","series":[' % (run_id.encode("ascii"), zone.name.encode("ascii"))
    for number, one in enumerate(series):
        if number:
            yield b","
        yield from _one(one, clock)
    yield b"]%b}" % warnings(unreadable)


def _one(series: Series, clock: ZoneClock) -> Iterator[bytes]:
    first, last, least, greatest = (
        localized(point or b"null", clock) for point in (series.first, series.last, series.min, series.max)
    )
    yield b'{"name":%b,"labels":%b,"count":%d,"first":%b,"last":%b,"min":%b,"max":%b,"mean":%b,"points":[' % (
        series.name,
        series.labels,
        series.count,
        first,
        last,
        least,
        greatest,
        series.mean,
    )
    for start in range(0, len(series.points), _AT_ONCE):
        if start:
            yield b","
        yield localized(b",".join(series.points[start : start + _AT_ONCE]), clock)
    yield b'],"downsampled":%b}' % (b"true" if series.downsampled else b"false")
