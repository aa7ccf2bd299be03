"""Custom info that is JSON, and what is not."""

from __future__ import annotations

import json

from service.api.resources.metric_resource.to_json import DEEPEST, LARGEST, parsed_text, tags, with_parsed
from service.domain.metrics import MetricResource
from testing.work import calls, memory, run_within
from tests.rows import each_row


@each_row("text", ['{"a": [0.10, 9007199254740993]}', "1e400", '"x"', "null", '\n[1,\n"é"]', "9" * 5000])
def test_json_stays_digit_for_digit(text: str) -> None:
    assert parsed_text(text) == text.encode()


@each_row("text", ["", "plain", "NaN", "[-Infinity]", '{"a":1,"a":2}', '{"b":{"a":1,"\\u0061":2}}', "[1", "1 2", '["\ud83d"]', "\ufeff1", '"a\nb"'])  # fmt: skip
def test_all_else_stays_raw(text: str) -> None:
    assert parsed_text(text) is None


def test_members_are_searched_whatever_their_text() -> None:
    """A lone surrogate, which the quick parser refuses, hides no member and not itself."""
    pairs = b'[{"name":"Ab\\ud83d","value":"\\udc00"},{"name":"b","value":"abc"},{"name":"xaB","value":""}]'
    found = b"".join(tags(MetricResource("run1", tags=pairs), "aB"))
    assert found == b'{"runId":"run1","tags":[{"name":"Ab\\ud83d","value":"\\udc00"},{"name":"xaB","value":""}]}'


def test_size_and_depth_are_bounded() -> None:
    assert parsed_text("[" * DEEPEST + "]" * DEEPEST) is not None
    assert parsed_text("[" * (DEEPEST + 1) + "]" * (DEEPEST + 1)) is None
    assert parsed_text("[" * 500_000) is None
    assert parsed_text(json.dumps("[" * (DEEPEST + 1))) is not None, "brackets in a string are no depth"
    assert parsed_text('"' + "x" * (LARGEST - 2) + '"') is not None
    assert parsed_text('"' + "x" * (LARGEST - 1) + '"') is None


def test_parsed_stands_beside_the_raw_value() -> None:
    pairs = b'[{"name":"\\ud83d","value":"{\\"a\\":0.10}"},{"name":"b","value":"text"}]'
    written = with_parsed(pairs)
    assert b'"parsed":{"a":0.10}' in written
    assert json.loads(written) == [
        {"name": "\ud83d", "value": '{"a":0.10}', "parsed": {"a": 0.1}},
        {"name": "b", "value": "text"},
    ]


ENDLESS = ['"\\', "[", "[],", '{"a":', '"', "\\", "[{", "1,"]


def test_a_value_is_looked_at_once_whatever_it_is() -> None:
    """A megabyte of what never ends; 200 kB of the first used to take minutes with the interpreter's lock held."""
    code = f"""
from service.api.resources.metric_resource.to_json import LARGEST, parsed_text
for unit in {ENDLESS!r}:
    print(repr(unit), parsed_text("[" + unit * (LARGEST // (len(unit) + 1))), flush=True)
"""
    assert run_within(code).splitlines() == [f"{unit!r} None" for unit in ENDLESS]


@each_row("unit", ["[],", '{"a":[1]},', "1,", '"\\u0061",'])
def test_twice_the_value_is_twice_the_work(unit: str) -> None:
    def work(times: int) -> int:
        text = f"[{unit * times}0]"
        assert parsed_text(text) is not None
        return calls(lambda: parsed_text(text))

    assert work(4000) <= 2.1 * work(2000)


@each_row("unit", ["\\\\", "\\u0041", "é"])
def test_a_value_that_is_too_large_stays_as_it_is_written(unit: str) -> None:
    """Nothing is made of it: whoever reads 60 MB at once keeps all others waiting."""
    large = f'{{"name":"a","value":"{unit * (7 * LARGEST // len(unit))}"}}'
    pairs = f'[{large},{{"name":"b","value":"[1]"}}]'.encode()
    written: list[bytes] = []
    held = memory(lambda: written.append(with_parsed(pairs)))
    assert written == [pairs[:-2] + b',"parsed":[1]}]']
    assert held < 2.7 * len(pairs)
