"""Events as the lines of a ``text/event-stream`` (HTML Standard, 9.2)."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from service.domain.events import Event, Kind, Observed, count_of
from service.domain.localizing import localized
from service.domain.selection.filters import Filter, selected
from service.domain.timestamps import zone_clock
from service.domain.zones import TimeZone

COMMENT = b":\n\n"
_ONE_LINE = bytes.maketrans(b"\r\n", b"  ")
"""Line breaks, which JSON has only between its tokens; in an event stream they would end the data."""


class Writer:
    """Writes events for the readers with one zone and one filter."""

    def __init__(self, zone: TimeZone, wanted: Filter) -> None:
        self.form = (zone.name, wanted)
        """Writers of the same form write the same text."""
        self._zone = zone
        self._wanted = wanted

    def write(self, events: Iterable[Event], now: Observed) -> bytes:
        """The text of events of ``now``; empty where no point passes the filter."""
        return b"".join(self._event(event, now) for event in events)

    def _event(self, event: Event, now: Observed) -> bytes:
        match event.kind:
            case Kind.STATE:
                data = msgspec.json.encode(
                    {"status": now.status, "count": self._count(now), "timezone": self._zone.name}
                )
            case Kind.POINTS:
                chunks = selected([event.points] if event.points is not None else [], self._wanted)
                if not chunks:
                    return b""
                clock = zone_clock(self._zone)
                data = b'{"metrics":[%b]}' % b",".join(localized(chunk.text, clock) for chunk in chunks)
            case Kind.TAGS:
                data = b'{"tags":%b}' % event.text
            case Kind.CUSTOM_INFO:
                data = b'{"customInfo":%b}' % event.text
            case Kind.STATUS:
                data = msgspec.json.encode({"status": event.position.status})
            case Kind.CHANGED:
                data = b"{}"
        return _lines(event.kind, event.position.id, data)

    def _count(self, now: Observed) -> int:
        """The number of points that pass the filter."""
        if self._wanted.is_empty:
            return now.count
        return count_of(selected(now.resource.metrics, self._wanted))


def end(reason: str, position: str) -> bytes:
    """The last event of a stream."""
    return _lines("end", position, msgspec.json.encode({"reason": reason}))


def _lines(event: str, position: str, data: bytes) -> bytes:
    head = f"id: {position}\nevent: {event}\ndata: ".encode("ascii")
    return head + data.translate(_ONE_LINE) + b"\n\n"
