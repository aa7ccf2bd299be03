"""AI API ``GET /lm/executions/{id}/logs`` → lines of a run's log, a page at a time.

The AI API has no cursor, and does not say whether ``start`` and ``end`` belong to the range that they limit. Pages
therefore overlap by ``_OVERLAP``, and lines that the page before had are left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import msgspec
from msgspec import Raw

from service.domain.errors import RuntimeTimeout
from service.domain.logs import MOST_LINES, LogLine, LogQuery, RunLog, matcher, run_log
from service.domain.runs import NULL
from service.domain.selection.instants import instant
from service.runtimes import json_arrays, json_literals
from service.runtimes.ai_api.timestamps import TimestampMapping

MOST_PAGES = 20
"""The most pages of ``MOST_LINES`` that are searched for one answer: 100,000 lines."""
_MOST_IN_A_PAGE = MOST_PAGES * MOST_LINES
"""The most lines that are read of one answer, for a runtime may return more than it was asked for."""
MOST_BYTES = 32 * 1024 * 1024
"""The most bytes of an answer's lines; the rest is left out, and the answer says so."""
_OVERLAP = timedelta(milliseconds=1)
_NULL = Raw(NULL)

GetPage = Callable[[Sequence[tuple[str, str]]], bytes]
"""The answer's body for query parameters. Raises ``ServiceError``."""


class _Line(msgspec.Struct, gc=False):
    timestamp: Raw = _NULL
    msg: Raw = _NULL
    container: Raw = _NULL
    pod: Raw = _NULL
    stream: Raw = _NULL


class _Data(msgspec.Struct):
    result: Raw = _NULL


class _Answer(msgspec.Struct):
    data: _Data | None = None


def read(get_page: GetPage, query: LogQuery, started: bytes, *, may_change: bool) -> RunLog:
    """The lines that ``query`` selects; ``started`` is the literal of the timestamp from which the log is read by
    default.

    A log that takes too many pages, bytes or too much time is returned in part, as not ``complete``.
    """
    matches, pages = matcher(query), _Pages(get_page, query, started)
    found: list[LogLine] = []
    size = 0
    while len(found) < query.limit:
        page = pages.next()
        if page is None:
            break
        for line in page:
            length = sum(map(len, line))
            if length <= MOST_BYTES and not matches(line):
                continue
            size += length
            if size > MOST_BYTES:
                return run_log(found, query, may_change=may_change, complete=False)
            found.append(line)
    return run_log(found, query, may_change=may_change, complete=len(found) >= query.limit or pages.ended)


class _Pages:
    """``ended``: the runtime has no more lines in that range."""

    def __init__(self, get_page: GetPage, query: LogQuery, started: bytes) -> None:
        self._get_page = get_page
        self._descending = query.newest_first
        self._size = MOST_LINES if query.search else query.limit
        self._start = _moved(query.since or instant(started), -_OVERLAP) or "1970-01-01T00:00:00Z"
        self._end = _moved(query.until, _OVERLAP)
        self._before: Counter[LogLine] = Counter()
        self._left = MOST_PAGES
        self.ended = False

    def next(self) -> list[LogLine] | None:
        """The new lines of the next page; ``None`` where there is none, or not in time."""
        if self.ended or not self._left:
            return None
        try:
            lines = _lines(self._get_page(self._parameters()))
        except RuntimeTimeout:
            if self._left == MOST_PAGES:
                raise
            return None
        self.ended = len(lines) < self._size
        fresh = _without(lines, self._before)
        more = fresh and len(lines) < _MOST_IN_A_PAGE and self._go_on_behind(lines)
        self._left = self._left - 1 if more else 0
        self._before, self._size = Counter(lines), MOST_LINES
        return fresh

    def _parameters(self) -> list[tuple[str, str]]:
        order = "desc" if self._descending else "asc"
        end = [] if self._end is None else [("end", self._end)]
        return [("start", self._start), *end, ("$top", str(self._size)), ("$order", order)]

    def _go_on_behind(self, lines: Sequence[LogLine]) -> bool:
        """Whether the lines determine where the next page begins."""
        last = next((moment for line in reversed(lines) if (moment := instant(line.timestamp)) is not None), None)
        moved = _moved(last, _OVERLAP if self._descending else -_OVERLAP)
        if moved is None:
            return False
        if self._descending:
            self._end = moved
        else:
            self._start = moved
        return True


def _lines(body: bytes) -> list[LogLine]:
    answer, mended = json_literals.decode_mended(body, _Answer)
    timestamps = TimestampMapping()
    lines: list[LogLine] = []
    if answer.data is not None:
        for some in json_arrays.items(answer.data.result, list[_Line], "a line of a log"):
            lines.extend(_line(each, timestamps, mended=mended) for each in some)
            if len(lines) >= _MOST_IN_A_PAGE:
                break
    return lines[:_MOST_IN_A_PAGE]


def _line(given: _Line, timestamps: TimestampMapping, *, mended: bool) -> LogLine:
    def text(literal: Raw) -> bytes:
        """A string as it was sent; ``null`` for anything else, so that one odd line does not hide the others."""
        written = bytes(literal)
        if not json_literals.is_string(written):
            return NULL
        return json_literals.restored(written) if mended else written

    return LogLine(
        timestamps.literal(given.timestamp),
        text(given.msg),
        text(given.container),
        text(given.pod),
        text(given.stream),
    )


def _without(lines: Sequence[LogLine], before: Counter[LogLine]) -> list[LogLine]:
    """The lines without those that were on the page ``before``."""
    left = Counter(before)
    fresh = []
    for line in lines:
        if left[line] > 0:
            left[line] -= 1
        else:
            fresh.append(line)
    return fresh


def _moved(moment: bytes | None, by: timedelta) -> str | None:
    """An instant moved, as RFC 3339 text; ``None`` for none and outside the years of the calendar."""
    if moment is None:
        return None
    try:
        return (datetime.fromisoformat(moment.decode("ascii")) + by).isoformat(timespec="microseconds") + "Z"
    except (ValueError, OverflowError):
        return None
