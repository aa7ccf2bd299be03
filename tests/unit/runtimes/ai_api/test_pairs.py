"""Tags and custom info, however many and however long."""

from __future__ import annotations

import json

import pytest

from service.domain.errors import BadGateway
from service.domain.metrics import MOST_MEMBER_BYTES
from service.domain.stretches import AT_ONCE
from service.runtimes.ai_api.pairs import pairs
from tests.rows import each_row
from tests.unit.runtimes.ai_api.answers import answer, metric, resource

LOOKS_LIKE_MORE = json.dumps('},{"name":"' * 1000)


@each_row("between", [",", " ,\n "])
@each_row("value", ["NaN", "1"])
def test_many_come_out_as_they_were_written(between: str, value: str) -> None:
    many = [f'{{"name":"a{number}","value":{LOOKS_LIKE_MORE}}}' for number in range(300)]
    found = resource(answer(metric(value=value), more=f',"tags":[{between.join(many)}],"customInfo":null'))
    assert found.tags.decode() == f"[{','.join(many)}]"
    assert found.custom_info == b"[]"


def test_members_that_nobody_knows_are_left_out_wherever_it_is_cut() -> None:
    one = '{"name":"a","value":"b"}'
    unknown = f'{{"name":"c","value":"d","more":[{",".join([one] * (2 * AT_ONCE // len(one)))}]}}'
    assert pairs(f"[{one},{unknown},{one}]".encode()) == b'[%b,{"name":"c","value":"d"},%b]' % ((one.encode(),) * 2)


@each_row(
    "array", ["{}", "1", '"[]"', "[1]", '[{"name":"a"}]', '[{"name":1,"value":"b"}]', '[{"name":"a","value":null}]']
)
def test_what_is_none_is_refused(array: str) -> None:
    with pytest.raises(BadGateway):
        pairs(array.encode())


def test_one_that_is_none_is_refused_among_many() -> None:
    others = '{"name":"a","value":"b"},' * (AT_ONCE // 20)
    with pytest.raises(BadGateway):
        pairs(f'[{others}{{"name":1,"value":"b"}}]'.encode())


def test_a_name_has_a_longest_length_and_a_value_has_none() -> None:
    long = "x" * MOST_MEMBER_BYTES
    assert long.encode() in pairs(f'[{{"name":"a","value":"{long * 3}"}}]'.encode())
    with pytest.raises(BadGateway, match="the name of a label, a tag or custom info of more than 512 KiB"):
        pairs(f'[{{"name":"{long}","value":"a"}}]'.encode())
