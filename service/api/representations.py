"""What a client gets: domain objects as JSON in the caller's time zone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

import msgspec

from service.domain.localizing import localized, localized_literal
from service.domain.metrics import MOST_STEP_DIGITS, Chunk, MetricResource, Unreadable
from service.domain.parsed_text import with_parsed
from service.domain.runtime import Capabilities
from service.domain.timestamps import ZoneClock
from service.domain.zones import TimeZone


@lru_cache(maxsize=32)
def clock(zone: TimeZone) -> ZoneClock:
    """The zone's clock, which remembers what it has worked out. Callers choose zones, loggers minutes: few are kept."""
    return ZoneClock(zone)


def metric_resource(
    resource: MetricResource, shown: Iterable[Chunk], zone: TimeZone, page: bytes = b""
) -> Iterator[bytes]:
    """The metric resource with the points ``shown``, in pieces; ``page`` is a further member, ``,"page":…``."""
    hands = clock(zone)
    yield b'{"runId":"%b","timezone":"%b","createdAt":%b,"modifiedAt":%b,"metrics":[' % (
        resource.run_id.encode("ascii"),
        zone.name.encode("ascii"),
        localized_literal(resource.created_at, hands),
        localized_literal(resource.modified_at, hands),
    )
    for number, chunk in enumerate(shown):
        if number:
            yield b","
        yield localized(chunk.text, hands)
    yield b'],"tags":%b,"customInfo":%b%b%b}' % (
        resource.tags,
        resource.custom_info,
        warnings(resource.unreadable),
        page,
    )


def tags(resource: MetricResource) -> Iterator[bytes]:
    yield b'{"runId":"%b","tags":%b}' % (resource.run_id.encode("ascii"), resource.tags)


def custom_info(resource: MetricResource) -> Iterator[bytes]:
    yield b'{"runId":"%b","customInfo":%b}' % (resource.run_id.encode("ascii"), resource.custom_info)


def parsed_custom_info(resource: MetricResource) -> Iterator[bytes]:
    yield b'{"runId":"%b","customInfo":%b}' % (resource.run_id.encode("ascii"), with_parsed(resource.custom_info))


def capabilities(found: Capabilities) -> Iterator[bytes]:
    document: dict[str, Any] = {
        "runtime": {"identifier": found.identifier, "apiVersion": found.api_version},
        "metricResource": {
            "available": found.metrics,
            "version": found.metrics_version,
            "extendedResults": found.extended_results,
        },
    }
    yield msgspec.json.encode(document)


def warnings(unreadable: Unreadable) -> bytes:
    """What is said of members that could not be read; nothing where all could."""
    found = [
        {"code": code, "count": count, "detail": f"{count:,} of the runtime's {what}: they are given as null"}
        for code, count, what in (
            ("unreadable-timestamp", unreadable.timestamps, "timestamps cannot be read or are missing"),
            (
                "unreadable-step",
                unreadable.steps,
                f"steps are no whole numbers of at most {MOST_STEP_DIGITS:,} digits",
            ),
            ("unreadable-value", unreadable.values, "values are no numbers or are missing"),
        )
        if count
    ]
    return b',"warnings":' + msgspec.json.encode(found) if found else b""
