"""A point with an odd member hides neither its other members nor another point: the member is null, and counted."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from service.domain.errors import BadGateway
from service.domain.metrics import MOST_MEMBER_BYTES, READABLE, Unreadable
from testing.work import calls
from tests.rows import each_row
from tests.unit.runtimes.ai_api.answers import MOMENT, answer, metric, points_of, resource

NO_TEXT = ["1", "-0.5", "true", "false", "null", "{}", "[]", '{"a":"\\n"}', '["\\n"]', '[["\\ud83d"]]', "NaN"]
NO_NUMBER = [
    "true",
    "false",
    "null",
    "{}",
    "[1]",
    '{"value":1}',
    '"1"',
    '""',
    '"nan"',
    '"inf"',
    '"+Infinity"',
    '"NaN "',
]
NO_STEP = ["1.5", "-0.1", '"1"', '""', "true", "{}", "[]", "NaN", "-Infinity", "1e-3", "1" * 1001, "-" + "1" * 1001]
NO_STEP += ["1e1000", "1e999999999999999999999", "1e-999999999999999999999", "1." + "0" * 1000]
GOOD = {"name": "loss", "value": 1, "timestamp": "2026-03-29T01:00:00Z", "step": 7, "labels": []}
KINDS = {"timestamp": Unreadable(timestamps=1), "step": Unreadable(steps=1), "value": Unreadable(values=1)}


def mapped(**members: str | None) -> tuple[list[dict[str, Any]], Unreadable]:
    """A good point, one with these members' literals (absent where ``None``), another good one."""
    good = {"name": '"loss"', "value": "1", "timestamp": MOMENT, "step": "7"}
    odd = ",".join(f'"{name}":{literal}' for name, literal in (good | members).items() if literal is not None)
    found = resource(answer(metric('"step":7'), "{" + odd + "}", metric('"step":7')))
    return json.loads(points_of(found)), found.unreadable


@each_row(
    "member, literal",
    [("timestamp", literal) for literal in [None, '"yesterday"', *NO_TEXT]]
    + [("value", literal) for literal in [None, *NO_NUMBER]]
    + [("step", literal) for literal in NO_STEP],
)
def test_what_cannot_be_read_is_null_and_counted(member: str, literal: str | None) -> None:
    points, unreadable = mapped(**{member: literal})
    assert points == [GOOD, {**GOOD, member: None}, GOOD]
    assert unreadable == KINDS[member]


@pytest.mark.parametrize("literal", [None, "null"])
def test_a_step_that_is_not_there_is_nothing_to_warn_of(literal: str | None) -> None:
    points, unreadable = mapped(step=literal)
    assert (points[1]["step"], unreadable) == (None, READABLE)


def test_all_kinds_are_counted_apart() -> None:
    points, unreadable = mapped(value="null", step="true", timestamp=None)
    assert points == [GOOD, {**GOOD, "value": None, "step": None, "timestamp": None}, GOOD]
    assert unreadable == Unreadable(1, 1, 1)


@given(st.integers(-(10**1010), 10**1010), st.booleans())
@example(10**1000 - 1, False)
@example(-(10**1000), False)
def test_every_whole_number_of_a_thousand_digits_is_a_step(number: int, wrapped: bool) -> None:
    """On the short way and, among points that are not all alike, on the long one."""
    digits = str(number)
    metrics = [metric(f'"step":{digits}'), *([metric()] if wrapped else [])]
    found = resource(answer(*metrics))
    passes = len(digits.lstrip("-")) <= 1000
    assert json.loads(points_of(found))[0]["step"] == (number if passes else None)
    assert found.unreadable == (READABLE if passes else Unreadable(steps=1))


def test_a_step_without_end_leaves_nothing_to_work_on() -> None:
    """Whoever reads steps later has as much to do for three million digits as for one too many."""
    short, long = (resource(answer(metric(f'"step":{"7" * digits}'))) for digits in (1001, 3_000_000))
    assert [chunk.text for chunk in short.metrics] == [chunk.text for chunk in long.metrics]


@each_row("odd", ['"step":1.5', '"step":true', '"labels":[{"name":"a","value":"b"}],"x":[{}]', '"step":1e3'])
def test_twice_as_many_odd_points_are_twice_the_work(odd: str) -> None:
    some = [metric(odd, value=value) for value in ("1", "null", '"x"', "NaN")] * 300
    once, twice = answer(*some), answer(*some, *some)
    assert calls(lambda: resource(twice)) < 2.1 * calls(lambda: resource(once))


LONG = MOST_MEMBER_BYTES - 2


@pytest.mark.parametrize(
    ("member", "literal"),
    [("value", "1" * (MOST_MEMBER_BYTES + 1)), ("timestamp", f'"2026-03-29T01:00:00.{"1" * MOST_MEMBER_BYTES}Z"')],
    ids=["value", "timestamp"],
)
def test_what_is_longer_than_anybody_reads_is_null_and_counted(member: str, literal: str) -> None:
    points, unreadable = mapped(**{member: literal})
    assert points == [GOOD, {**GOOD, member: None}, GOOD]
    assert unreadable == KINDS[member]


@pytest.mark.parametrize(
    ("member", "literal", "what"),
    [
        ("name", f'"{"n" * LONG}n"', "the name of a metric"),
        ("labels", f'[{{"name":"l","value":"{"v" * LONG}"}}]', "labels of a point"),
    ],
    ids=["name", "labels"],
)
def test_a_point_of_what_nobody_reads_is_no_answer(member: str, literal: str, what: str) -> None:
    with pytest.raises(BadGateway, match=f"the AI runtime's answer has {what} of more than 512 KiB"):
        mapped(**{member: literal})


@pytest.mark.parametrize("others", [0, 3])
def test_up_to_there_every_name_and_digit_is_kept(others: int) -> None:
    name, value = f'"{"n" * LONG}"', "1" * LONG
    chunks = resource(
        answer(*[metric()] * others, metric('"step":1', name=name, value=value), *[metric()] * others)
    ).metrics
    text = b",".join(chunk.text for chunk in chunks)
    assert b'{"name":%b,"value":%b,' % (name.encode(), value.encode()) in text
    assert sum(chunk.count for chunk in chunks) == 2 * others + 1


def test_points_that_are_worked_on_at_once_are_no_more_than_a_stretch() -> None:
    """Of an answer that cannot be cut, too: here for a point that is longer than a stretch."""
    long = metric('"step":1', name=f'"{"n" * LONG}"')
    found = resource(answer(*[long] * 9, *[metric()] * 2001))
    assert found.count == 2010
    assert max(len(chunk.text) for chunk in found.metrics) <= 2 * 1024 * 1024
    assert all(len(chunk.text) <= 1024 * 1024 or chunk.count == 1 for chunk in found.metrics)
