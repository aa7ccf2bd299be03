"""Numbers and texts come out as the bytes that the runtime sent, on the quick path and on the mending one."""

from __future__ import annotations

import json
import re

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from service.domain.errors import BadGateway
from service.domain.stretches import AT_ONCE
from service.runtimes import json_literals
from testing.work import memory, run_within
from tests.rows import each_row
from tests.unit.runtimes.ai_api.answers import answer, metric, metrics_of, points_of, resource

DIGITS = st.text("0123456789", min_size=1, max_size=120)
NUMBERS = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["", "-"]),
    st.just("0") | st.from_regex("[1-9][0-9]{0,110}", fullmatch=True),
    st.just("") | DIGITS.map(".{}".format),
    st.just("") | st.builds("{}{}{}".format, st.sampled_from("eE"), st.sampled_from(["", "+", "-"]), DIGITS),
)
"""Every number that the grammar of JSON (RFC 8259, 6) can write."""

PIECES = st.sampled_from(
    ["\\ud83d", "\\uD83D", "\\udc00", "\\uDFFF", "\\ud83d\\ude00", "\\u001f", "\\u001F", "\\u001fd83d", "\\u001fD83D"]
    + ["\\u001f~", "~", "\\u001e", "\\\\", '\\"', "\\/", "\\n", "\\b", "\\u0000", "\\u2028", "\\\\ud83d", "\\\\u001f"]
    + ["d83d", "dead", "u", "NaN", "Infinity", "-Infinity", "é", "😀", "\x7f", "\u2028", "ud83d", ","]
)
STRINGS = st.lists(PIECES, max_size=8).map("".join).map('"{}"'.format)
"""JSON string literals of all that the mending looks for, and of what only looks like it."""


def values_of(body: bytes) -> list[bytes]:
    return re.findall(rb'"value":(.*?),"timestamp"', metrics_of(body))


@given(NUMBERS)
@example("9007199254740993")
@example("-0.0")
@example("0.1")
@example("1e-7")
@example("1E+5")
@example("1e999")
@example("-1e-999")
@example("1" * 100)
@example("0.10")
def test_every_json_number_comes_out_as_it_was_written(number: str) -> None:
    assert values_of(answer(metric(value=number))) == [number.encode()]
    assert values_of(answer(metric(value=number), metric(value="NaN"))) == [number.encode(), b'"NaN"']


@given(NUMBERS)
def test_white_space_around_a_number_is_not_part_of_it(number: str) -> None:
    (found,) = values_of(answer(metric(value=f" \t{number}\r\n ")))
    assert found == number.encode()


@given(STRINGS, STRINGS, STRINGS, STRINGS, STRINGS, st.sampled_from(["1", "NaN", "-Infinity"]))
@example('"\\ud83d"', '"\\u001f"', '"\\u001fd83d"', '"\\u001f~"', '"NaN"', "NaN")
def test_texts_come_out_byte_for_byte_whether_mended_or_not(name, label, text, tag, info, value) -> None:
    labels = f'"labels":[{{"name":{label},"value":{text}}}]'
    more = f',"tags":[{{"name":{tag},"value":{info}}}],"customInfo":[{{"name":{info},"value":{label}}}]'
    found = resource(answer(metric(labels, name=name, value=value), more=more))
    number = value if value == "1" else f'"{value}"'
    assert points_of(found).decode() == (
        f'[{{"name":{name},"value":{number},"timestamp":"2026-03-29T01:00:00Z","step":null,{labels}}}]'
    )
    assert found.tags.decode() == f'[{{"name":{tag},"value":{info}}}]'
    assert found.custom_info.decode() == f'[{{"name":{info},"value":{label}}}]'


@given(st.lists(STRINGS, min_size=1, max_size=4), STRINGS)
def test_the_same_texts_at_many_points_come_out_at_each(names: list[str], label: str) -> None:
    labels = f'"labels":[{{"name":{label},"value":{label}}}]'
    sent = [metric(labels, name=name, value=value) for name in names for value in ("1", "NaN")]
    found = json.loads(metrics_of(answer(*sent)))
    assert [each["name"] for each in found] == [json.loads(name) for name in names for _ in range(2)]
    assert all(each["labels"] == [{"name": json.loads(label), "value": json.loads(label)}] for each in found)


@given(st.text(max_size=40), st.booleans(), st.booleans())
def test_any_unicode_is_the_same_text_afterwards(text: str, escaped: bool, mended: bool) -> None:
    literal = json.dumps(text, ensure_ascii=escaped)
    found = resource(
        answer(
            metric(name=literal, value="NaN" if mended else "1"),
            more=f',"tags":[{{"name":{literal},"value":{literal}}}]',
        )
    )
    assert json.loads(points_of(found))[0]["name"] == text
    assert json.loads(found.tags) == [{"name": text, "value": text}]


@each_row("bare", ["NaN", "Infinity", "-Infinity"])
@each_row("around", ["{}", " {} ", "\n{}\t"])
def test_what_json_cannot_hold_becomes_a_string(bare: str, around: str) -> None:
    assert values_of(answer(metric(value=around.format(bare)))) == [f'"{bare}"'.encode()]
    assert values_of(answer(metric(value=f'"{bare}"'))) == [f'"{bare}"'.encode()]


@each_row("text", ["NaN", "-Infinity", 'a "NaN", b', "NaN,Infinity", "\\", '\\"NaN', "[NaN]", "\\\\NaN\\"])
def test_the_same_words_within_texts_are_left_alone(text: str) -> None:
    literal = json.dumps(text)
    body = answer(metric(f'"labels":[{{"name":{literal},"value":{literal}}}]', name=literal, value="NaN"))
    (found,) = json.loads(metrics_of(body))
    assert (found["name"], found["value"]) == (text, "NaN")
    assert found["labels"] == [{"name": text, "value": text}]


def test_bare_words_where_nobody_looks_are_mended_too() -> None:
    assert values_of(answer(metric('"x":[NaN,{"Infinity":-Infinity}]'), more=',"y":Infinity')) == [b"1"]


@given(st.lists(STRINGS, max_size=5))
def test_setting_aside_and_putting_back_cancel_out(strings: list[str]) -> None:
    sent = "[" + ",".join(strings) + "]"
    found, mended = json_literals.decode_mended(sent.encode(), list[msgspec.Raw])
    back = [bytes(each) for each in found]
    assert (list(map(json_literals.restored, back)) if mended else back) == [each.encode() for each in strings]


@given(st.lists(STRINGS, max_size=5))
def test_half_a_character_is_replaced_in_text(strings: list[str]) -> None:
    body = f"[{','.join(strings)}]".encode()
    expected = [re.sub("[\ud800-\udfff]", "\ufffd", text) for text in json.loads(body)]
    assert json_literals.decode(body, list[str]) == expected
    found, mended = json_literals.decode_mended(body, list[str])
    assert [json_literals.restored_text(text) if mended else text for text in found] == expected


def test_custom_info_of_any_length_holding_json_is_a_text_like_any_other() -> None:
    text = json.dumps([{"Predicted": "False", "é": [1.50, None]}] * 5000)
    found = resource(answer(more=f',"customInfo":[{{"name":"Confusion Matrix","value":{json.dumps(text)}}}]'))
    assert json.loads(json.loads(found.custom_info)[0]["value"]) == json.loads(text)


ENDLESS = ['"\\', '"', "\\", "\\u001f", "NaN", '"NaN', '[NaN,"']


def test_mending_looks_at_each_byte_once() -> None:
    """What never ends, 256 KiB of it; of a megabyte the first took an hour and held the interpreter's lock."""
    code = f"""
from service.domain.errors import BadGateway
from service.runtimes import json_literals
for unit in {ENDLESS!r}:
    try:
        json_literals.decode(b'[NaN' + unit.encode() * (2**18 // len(unit)), list)
    except BadGateway:
        print(repr(unit), flush=True)
"""
    assert run_within(code).splitlines() == [repr(unit) for unit in ENDLESS]


@given(st.lists(STRINGS | st.sampled_from(["NaN", "-Infinity", "Infinity", "1", "null"]), max_size=6))
@example(['"NaN"', "NaN", '"\\\\"', "Infinity", '"\\""', "-Infinity"])
@example(['"\\u001fd83d"'])
def test_names_of_numbers_become_strings_outside_of_strings_only(literals_: list[str]) -> None:
    body = f"[{','.join(literals_)}]".encode()
    names = [f'"{one}"' if one in {"NaN", "Infinity", "-Infinity"} else one for one in literals_]
    found, mended = json_literals.decode_mended(body, list[msgspec.Raw])
    written = [bytes(one) for one in found]
    assert [json_literals.restored(one) if mended else one for one in written] == [one.encode() for one in names]


@each_row("unit", [b"\\\\", b'"x",', b"\\\\u", b"1,"])
def test_mending_needs_memory_in_proportion_to_what_it_changes(unit: bytes) -> None:
    """One escape among many of another kind: no piece is made for each of those."""

    def held(size: int) -> int:
        body = b'["\\ud83d"NaN' + unit * (size // len(unit))

        def refused() -> None:
            with pytest.raises(BadGateway):
                json_literals.decode(body, list)

        return memory(refused)

    assert held(400_000) < 10 * 400_000


@each_row("before", [AT_ONCE - 3, AT_ONCE - 2, AT_ONCE - 1, AT_ONCE, 2 * AT_ONCE - 2])
def test_what_lies_across_two_stretches_is_read_as_anywhere(before: int) -> None:
    text = "x" * (before - 2) + '\\\\\\"é😀\\\\'
    body = f'["{text}",NaN,"\\ud83d NaN"]'.encode()
    found, mended = json_literals.decode_mended(body, list[msgspec.Raw])
    assert mended
    assert [json_literals.restored(bytes(each)) for each in found] == [
        f'"{text}"'.encode(),
        b'"NaN"',
        b'"\\ud83d NaN"',
    ]
    assert json_literals.decode(f'["{text}"]'.encode(), list[str])[0] == json.loads(f'"{text}"')
    with pytest.raises(BadGateway):
        json_literals.decode(f'["{text}'.encode()[:-5] + b'"]', list[msgspec.Raw])  # a character is cut


def test_mending_many_words_needs_memory_in_proportion_to_the_text() -> None:
    body = b'"\\ud83d",NaN,' * 40_000
    assert memory(lambda: json_literals._mended(body, json_literals._replace_lone)) < 8 * len(body)


def test_what_is_decoded_at_once_has_a_longest_length() -> None:
    with pytest.raises(BadGateway, match="has more than 128 MiB beside points"):
        json_literals.decode(b" " * (json_literals.MOST_AT_ONCE + 1), list)
