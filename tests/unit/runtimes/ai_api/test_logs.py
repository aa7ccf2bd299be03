"""Logs (``GET /lm/executions/{id}/logs``): pages of a runtime that has no cursor, whatever its ranges include."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.domain.errors import BadGateway, RuntimeTimeout
from service.domain.logs import MOST_LINES, LogQuery, RunLog
from service.runtimes.ai_api import logs
from testing.effort import effort
from tests.rows import each_row

STARTED = datetime(2026, 3, 29, 1, tzinfo=UTC)
LITERAL = b'"2026-03-29T01:00:00Z"'


def text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def at(milliseconds: float) -> datetime:
    return STARTED + timedelta(milliseconds=milliseconds)


class Upstream:
    """A runtime's log: a message for each line, oldest first. ``includes``: whether ``start`` and ``end`` do."""

    def __init__(self, lines: Sequence[tuple[datetime, str]], *, includes: tuple[bool, bool] = (True, False)) -> None:
        self._lines = lines
        self._includes = includes
        self.asked: list[dict[str, str]] = []
        self.times_out_from = 1000

    def __call__(self, parameters: Sequence[tuple[str, str]]) -> bytes:
        asked = dict(parameters)
        self.asked.append(asked)
        if len(self.asked) > self.times_out_from:
            raise RuntimeTimeout
        start, end = (datetime.fromisoformat(asked.get(name, "9999-01-01T00:00:00Z")) for name in ("start", "end"))
        chosen = [
            line
            for line in self._lines
            if (start < line[0] < end)
            or (line[0] == start and self._includes[0])
            or (line[0] == end and self._includes[1])
        ]
        if asked["$order"] == "desc":
            chosen = chosen[::-1]
        result = [{"timestamp": text(moment), "msg": message} for moment, message in chosen[: int(asked["$top"])]]
        return json.dumps({"data": {"result": result}}).encode()


def read(upstream: Any, **query: Any) -> RunLog:
    return logs.read(upstream, LogQuery(**query), LITERAL, may_change=False)


def messages(log: RunLog) -> list[str]:
    return [line["message"] for line in json.loads(b"[" + log.text + b"]")]


def instant(moment: datetime) -> bytes:
    return text(moment).rstrip("Z").rstrip("0").rstrip(".").encode()


@settings(max_examples=effort(20, 60), deadline=None)
@given(
    gaps=st.lists(st.sampled_from([0, 0, 0.3, 0.7, 5]), max_size=40),
    bounds=st.tuples(st.none() | st.integers(0, 60), st.none() | st.integers(0, 60)),
    newest_first=st.booleans(),
    limit=st.integers(1, 12),
    includes=st.tuples(st.booleans(), st.booleans()),
)
def test_the_lines_are_those_of_the_range_whatever_it_includes_upstream(
    gaps: list[float],
    bounds: tuple[int | None, int | None],
    newest_first: bool,
    limit: int,
    includes: tuple[bool, bool],
) -> None:
    lines, now = [], 0.0
    for number, gap in enumerate(gaps):
        now += gap
        lines.append((at(now), f"line {number}"))
    since, until = bounds
    expected = [
        message
        for moment, message in lines
        if (since is None or moment >= at(since)) and (until is None or moment <= at(until))
    ]
    if newest_first:
        expected.reverse()
    found = read(
        Upstream(lines, includes=includes),
        since=None if since is None else instant(at(since)),
        until=None if until is None else instant(at(until)),
        newest_first=newest_first,
        limit=limit,
    )
    assert (messages(found), found.complete) == (expected[:limit], True)


def long(count: int, apart: float = 1) -> list[tuple[datetime, str]]:
    return [(at(number * apart), f"step {number}") for number in range(count)]


@pytest.mark.parametrize("newest_first", [True, False])
def test_a_search_goes_through_pages(newest_first: bool) -> None:
    upstream = Upstream(long(3 * MOST_LINES))
    found = read(upstream, search="STEP 77", newest_first=newest_first, limit=5000)
    expected = [message for _, message in long(3 * MOST_LINES) if "step 77" in message]
    assert messages(found) == (expected[::-1] if newest_first else expected)
    assert found.complete
    assert {asked["$top"] for asked in upstream.asked} == {str(MOST_LINES)}
    assert len(upstream.asked) == 4


def test_what_is_not_searched_is_one_request_for_as_many_lines() -> None:
    upstream = Upstream(long(100))
    assert messages(read(upstream, limit=3)) == ["step 99", "step 98", "step 97"]
    assert upstream.asked == [{"start": "2026-03-29T00:59:59.999000Z", "$top": "3", "$order": "desc"}]


@pytest.mark.slow  # of the whole service: integration/service/test_logs.py
def test_a_search_without_end_is_given_as_far_as_it_got() -> None:
    def ask(parameters: Sequence[tuple[str, str]]) -> bytes:
        asked.append(dict(parameters))
        moment = text(at(1000 * len(asked)))
        return b'{"data":{"result":[' + b",".join([b'{"timestamp":"%b","msg":"a"}' % moment.encode()] * 5000) + b"]}}"

    asked: list[dict[str, str]] = []
    found = read(ask, search="no such line", newest_first=False)
    assert (len(asked), found.count, found.complete) == (logs.MOST_PAGES, 0, False)


def test_more_lines_of_one_instant_than_a_page_has_are_not_hidden_silently() -> None:
    found = read(Upstream([(at(1), f"line {number}") for number in range(2 * MOST_LINES)]), search="no such line")
    assert (found.count, found.complete) == (0, False)


def test_no_time_for_a_further_page_leaves_what_there_is() -> None:
    upstream = Upstream(long(2 * MOST_LINES))
    upstream.times_out_from = 1
    found = read(upstream, search="step 9999")
    assert (messages(found), found.complete) == (["step 9999"], False)
    upstream.times_out_from = 0
    with pytest.raises(RuntimeTimeout):
        read(upstream)


def test_of_an_answer_with_far_too_many_lines_the_first_are_read() -> None:
    """Three million cost 34 seconds."""
    asked: list[Sequence[tuple[str, str]]] = []
    most = logs.MOST_PAGES * MOST_LINES

    def ask(parameters: Sequence[tuple[str, str]]) -> bytes:
        asked.append(parameters)
        return b'{"data":{"result":[%b{"msg":"beyond"}]}}' % (b'{"msg":NaN},' * most)

    found = read(ask, search="beyond")
    assert (found.count, found.complete, len(asked)) == (0, False, 1)


def test_a_log_is_bounded_in_bytes() -> None:
    line = {"timestamp": "2026-03-29T01:00:00Z", "msg": "x" * (logs.MOST_BYTES // 3)}
    found = read(lambda _: json.dumps({"data": {"result": [line] * 5}}).encode())
    assert (found.count, found.complete) == (2, False)


@each_row(
    "line, expected",
    [
        ('{"timestamp":"2026-03-29T03:00:00+02:00","msg":"a"}', {"timestamp": "2026-03-29T01:00:00Z", "message": "a"}),
        ('{"timestamp":"yesterday","msg":"a"}', {"message": "a"}),
        ('{"msg":"a","stream":"stderr","extra":[1]}', {"message": "a", "stream": "stderr"}),
        ('{"timestamp":1774746000,"msg":{"a":1},"pod":null,"container":7}', {}),
        ('{"msg":"\\u001b[31mred\\u0000"}', {"message": "\x1b[31mred\0"}),
    ],
)
def test_one_odd_line_does_not_hide_the_others(line: str, expected: dict[str, str]) -> None:
    plain = '{"timestamp":"2026-03-29T01:00:00Z","msg":"plain"}'
    found = read(lambda _: f'{{"data":{{"result":[{line},{plain}]}}}}'.encode(), newest_first=False)
    lines = json.loads(b"[" + found.text + b"]")
    empty = dict.fromkeys(("timestamp", "message", "container", "pod", "stream"))
    assert {**empty, **expected} in lines
    assert "plain" in [each["message"] for each in lines]
    assert found.unreadable == ("timestamp" not in expected)


@each_row("body", [b"{}", b'{"data":null}', b'{"data":{}}', b'{"data":{"result":null}}'])
def test_no_lines(body: bytes) -> None:
    assert read(lambda _: body) == RunLog(b"", 0, False)


@each_row("body", [b"", b"[]", b'{"data":[]}', b'{"data":{"result":[1]}}', b'{"data":{"result":{}}}'])
def test_what_is_no_log_is_refused(body: bytes) -> None:
    with pytest.raises(BadGateway):
        read(lambda _: body)


@pytest.mark.parametrize(("since", "until"), [(b":000-01-01T00:00:00", None), (None, b"/999-12-31T00:00:00")])
def test_years_that_the_calendar_does_not_have(since: bytes | None, until: bytes | None) -> None:
    assert read(Upstream(long(3)), since=since, until=until).count == 0
