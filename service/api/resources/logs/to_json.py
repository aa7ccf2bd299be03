"""A log as JSON in the caller's time zone, the runtime's strings as they were sent."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from service.domain.localizing import localized
from service.domain.logs import RunLog
from service.domain.timestamps import zone_clock
from service.domain.zones import TimeZone

INCOMPLETE = "the runtime has more lines than could be searched: narrow the range with since and until"


def run_log(run_id: str, log: RunLog, zone: TimeZone) -> Iterator[bytes]:
    yield b'{"runId":"%b","timezone":"%b","logs":[' % (run_id.encode("ascii"), zone.name.encode("ascii"))
    yield localized(log.text, zone_clock(zone))
    yield b"]%b}" % _warnings(log)


def _warnings(log: RunLog) -> bytes:
    found: list[dict[str, object]] = []
    if log.unreadable:
        detail = f"{log.unreadable:,} of the timestamps cannot be read or are missing: they are given as null"
        found.append({"code": "unreadable-timestamp", "count": log.unreadable, "detail": detail})
    if not log.complete:
        found.append({"code": "incomplete-log", "detail": INCOMPLETE})
    return b',"warnings":' + msgspec.json.encode(found) if found else b""
