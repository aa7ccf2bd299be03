"""What a run wrote while it ran: lines, each of one instant."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import NamedTuple

import msgspec

from service.domain.selection.instants import instant
from service.domain.stretches import contains

MOST_LINES = 5000
"""The most lines of one answer."""
USUAL_LINES = 1000


class LogQuery(msgspec.Struct, frozen=True):
    """Which lines of a run's log: the newest ``limit`` of those that match, or the oldest.

    ``since`` and ``until`` (as ``selection.instants.instant`` has them) are inclusive; a line without a timestamp lies
    outside of both. Without ``since`` the log begins at the run's start. ``search`` is a part of the message, ignoring
    case.
    """

    since: bytes | None = None
    until: bytes | None = None
    newest_first: bool = True
    limit: int = USUAL_LINES
    search: str = ""


class LogLine(NamedTuple):
    """A line's members as JSON literals: strings or ``null``, the timestamp as written by
    ``domain.localizing.utc_literal``."""

    timestamp: bytes
    message: bytes
    container: bytes
    pod: bytes
    stream: bytes

    @property
    def text(self) -> bytes:
        """The line as a JSON object."""
        return b'{"timestamp":%b,"message":%b,"container":%b,"pod":%b,"stream":%b}' % self


class RunLog(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Lines of a run's log, in the order of the query, as JSON text with timestamps in UTC.

    ``text`` holds ``count`` objects separated by commas, as written by ``LogLine.text``. ``may_change`` is whether the
    run may still write; ``complete`` is false where the runtime has more lines than could be searched; ``unreadable``
    counts the lines whose timestamp could not be read.
    """

    text: bytes
    count: int
    may_change: bool
    complete: bool = True
    unreadable: int = 0


def matcher(query: LogQuery) -> Callable[[LogLine], bool]:
    """A test of a line against the query, except its limit."""
    part = query.search.casefold()
    bounded = query.since is not None or query.until is not None

    def matches(line: LogLine) -> bool:
        if bounded:
            moment = instant(line.timestamp)
            if moment is None or not (query.since or moment) <= moment <= (query.until or moment):
                return False
        return not part or (line.message != b"null" and contains(json.loads(line.message), part))

    return matches


def run_log(lines: Iterable[LogLine], query: LogQuery, *, may_change: bool, complete: bool = True) -> RunLog:
    """The first ``query.limit`` matching lines. ``lines`` are in the runtime's order, which is roughly the query's.

    Lines of one instant keep their order, and a line without a timestamp stays after the line before it.
    """
    keyed: list[tuple[bytes, LogLine]] = []
    for line in lines:
        moment = instant(line.timestamp)
        keyed.append((moment if moment is not None else keyed[-1][0] if keyed else b"", line))
    keyed.sort(key=lambda pair: pair[0], reverse=query.newest_first)
    given = [line for _, line in keyed[: query.limit]]
    unreadable = sum(line.timestamp == b"null" for line in given)
    return RunLog(b",".join(line.text for line in given), len(given), may_change, complete, unreadable)
