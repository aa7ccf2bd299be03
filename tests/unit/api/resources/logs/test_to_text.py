"""Logs as plain text, however long one line is."""

from __future__ import annotations

import json

import pytest

from service.api.resources.logs import to_text
from service.domain.logs import LogLine, LogQuery, RunLog, matcher, run_log
from service.domain.stretches import AT_ONCE
from service.domain.zones import time_zone

STAMP = b'"2026-03-29T01:00:00Z"'


def line(message: str) -> LogLine:
    return LogLine(STAMP, json.dumps(message).encode(), b"null", b"null", b"null")


def log(*messages: str) -> RunLog:
    return run_log(map(line, messages), LogQuery(newest_first=False), may_change=False)


@pytest.mark.parametrize("at", [AT_ONCE - 1, AT_ONCE])
def test_a_long_message_is_written_in_pieces_as_if_in_one(at: int) -> None:
    message = "é" * at + "\r\nnext\x1b" + "😀" * 9 + "\n\n"
    given = list(to_text.lines(log(message, '},{"timestamp":', message), time_zone("UTC")))
    one = f"2026-03-29T01:00:00Z {'é' * at}\n    next\\x1b{'😀' * 9}\n"
    assert b"".join(given).decode() == f'{one}2026-03-29T01:00:00Z }},{{"timestamp":\n{one}'
    assert max(map(len, given)) <= 4 * AT_ONCE + 100


def test_many_messages_are_all_there() -> None:
    messages = [f"{number} {'},{' * 50}" for number in range(15_000)]
    text = b"".join(to_text.lines(log(*messages), time_zone("UTC"))).decode()
    assert text == "".join(f"2026-03-29T01:00:00Z {message}\n" for message in messages[:1000])


@pytest.mark.parametrize("before", [0, AT_ONCE - 2])
def test_a_message_is_searched_whatever_its_length(before: int) -> None:
    matches = matcher(LogQuery(search="LOSS"))
    assert matches(line("é" * before + "a Loss"))
    assert not matches(line("é" * before + "a Los"))
