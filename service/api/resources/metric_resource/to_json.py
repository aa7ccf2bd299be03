"""A run's metric resource as JSON in the caller's time zone."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator

import msgspec

from service.concurrency.time_limit import checkpoint
from service.domain import json_text, points
from service.domain.localizing import localized, localized_literal
from service.domain.metrics import MOST_MEMBER_BYTES, MOST_STEP_DIGITS, Chunk, MetricResource, Unreadable
from service.domain.stretches import each_pair
from service.domain.timestamps import zone_clock
from service.domain.zones import TimeZone


def metric_resource(
    resource: MetricResource, shown: Iterable[Chunk], zone: TimeZone, page: bytes = b""
) -> Iterator[bytes]:
    """The metric resource with the points ``shown``, in pieces; ``page`` is a further member, ``,"page":…``."""
    clock = zone_clock(zone)
    yield b'{"runId":"%b","timezone":"%b","createdAt":%b,"modifiedAt":%b,"metrics":[' % (
        resource.run_id.encode("ascii"),
        zone.name.encode("ascii"),
        localized_literal(resource.created_at, clock),
        localized_literal(resource.modified_at, clock),
    )
    for number, chunk in enumerate(shown):
        if number:
            yield b","
        yield localized(chunk.text, clock)
    yield b'],"tags":%b,"customInfo":%b%b%b}' % (
        resource.tags,
        resource.custom_info,
        warnings(resource.unreadable + Unreadable(timestamps=resource.unreadable_moments)),
        page,
    )


def tags(resource: MetricResource, search: str = "") -> Iterator[bytes]:
    """The tags whose name contains ``search``, ignoring case."""
    yield b'{"runId":"%b","tags":%b}' % (resource.run_id.encode("ascii"), _named(resource.tags, search))


def custom_info(resource: MetricResource, search: str = "", *, parse: bool = False) -> Iterator[bytes]:
    """The custom info whose name contains ``search``, ignoring case."""
    found = _named(resource.custom_info, search)
    yield b'{"runId":"%b","customInfo":%b}' % (resource.run_id.encode("ascii"), with_parsed(found) if parse else found)


def _named(pairs: bytes, search: str) -> bytes:
    """The members of an array of ``{"name", "value"}`` whose name contains ``search``, as they were sent."""
    if not search:
        return pairs
    part = search.casefold()
    return b"[" + b",".join([pair for pair in _checked(pairs) if part in _name(pair).casefold()]) + b"]"


def _checked(pairs: bytes) -> Iterator[bytes]:
    """The pairs of the array; raises where the time for large work is over."""
    for number, pair in enumerate(each_pair(pairs)):
        if not number % _AT_ONCE:
            checkpoint()
        yield pair


_NAME = re.compile(rb'\{"name":("(?:[^"\\]++|\\.)*+")')


def _name(pair: bytes) -> str:
    found = _NAME.match(pair)
    return points.text(found[1]) if found else ""


def warnings(unreadable: Unreadable, *, unread_metrics: int = 0) -> bytes:
    """The member ``warnings`` for values, and metrics of runs, that could not be read; empty where all could."""
    found = [
        {"code": code, "count": count, "detail": f"{count:,} of the runtime's {what}"}
        for code, count, what in (
            (
                "unreadable-timestamp",
                unreadable.timestamps,
                "timestamps cannot be read or are missing: they are given as null",
            ),
            (
                "unreadable-step",
                unreadable.steps,
                f"steps are no whole numbers of at most {MOST_STEP_DIGITS:,} digits: they are given as null",
            ),
            ("unreadable-value", unreadable.values, "values are no numbers or are missing: they are given as null"),
            (
                "timestamp-at-epoch",
                unreadable.at_epoch,
                "timestamps are 1970-01-01T00:00:00Z, which it also keeps in place of one that it cannot read",
            ),
        )
        if count
    ]
    if unread_metrics:
        detail = f"the metrics of {unread_metrics:,} runs cannot be read: their values are given as null"
        found.append({"code": "unread-metrics", "count": unread_metrics, "detail": detail})
    return b',"warnings":' + msgspec.json.encode(found) if found else b""


LARGEST = 1024 * 1024
"""The longest value that is parsed, in bytes."""
_LARGEST_WRITTEN = MOST_MEMBER_BYTES + 6 * LARGEST
"""Of a pair whose value may be as short as that: an escape of six characters stands for one byte at least."""
DEEPEST = 64
"""The deepest value that is parsed, in levels of arrays and objects."""
_AT_ONCE = 1000


def with_parsed(pairs: bytes) -> bytes:
    """A JSON array of ``{"name", "value"}`` with a member ``parsed`` wherever the value is itself JSON (RFC 8259).

    ``parsed`` is the value's own text, numbers digit for digit. A value stays without it that is too large or too
    deep, has an object with one name twice, or holds anything that JSON cannot (``NaN``).
    """
    return b"[" + b",".join([_pair(pair) for pair in _checked(pairs)]) + b"]"


def _pair(pair: bytes) -> bytes:
    if len(pair) > _LARGEST_WRITTEN:
        return pair
    parsed = parsed_text(json.loads(pair)["value"])
    return pair if parsed is None else b'%b,"parsed":%b}' % (pair[:-1], parsed)


def parsed_text(text: str) -> bytes | None:
    """``text`` as UTF-8 where it is JSON that can be part of an answer, otherwise ``None``."""
    try:
        encoded = text.encode("utf-8")
        if len(encoded) > LARGEST:
            return None
        json_text.read(text, deepest=DEEPEST, parse_int=_digits, parse_float=_digits)
    except ValueError:
        return None
    return encoded


def _digits(_: str) -> None:
    """Numbers are not converted: they stay as they are written."""
