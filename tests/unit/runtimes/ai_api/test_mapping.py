"""AI API answers: what passes comes through byte for byte, what breaks the shape is refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.errors import BadGateway
from service.domain.metrics import Unreadable
from service.runtimes.ai_api.mapping import metric_resources, run_status
from tests.rows import each_row
from tests.unit.runtimes.ai_api.answers import points_of

NUMBERS = st.one_of(
    st.integers(-(10**100), 10**100).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.sampled_from(["0.1", "-0.0", "1E+5", "1e999", "1.10", "0e0", "9007199254740993", "1e-07"]),
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
ESCAPED = st.lists(
    st.sampled_from(["\\ud83d", "\\udc00", "\\u001f", "\\u001fd800", "\\\\ud800", "\\u001f~", "a", "NaN", "\\n"])
).map("".join)


def answer(*points: str, run: str = "run1", more: str = "") -> bytes:
    return f'{{"count":1,"resources":[{{"executionId":"{run}","metrics":[{",".join(points)}]{more}}}]}}'.encode()


def point(name: str = '"loss"', value: str = "1", timestamp: str = '"2026-03-29T01:00:00Z"', more: str = "") -> str:
    return f'{{"name":{name},"value":{value},"timestamp":{timestamp}{more}}}'


def mapped(body: bytes):
    return metric_resources(body, ["run1"])["run1"]


def text_of(body: bytes) -> bytes:
    return points_of(mapped(body))


@given(NUMBERS)
def test_numbers_pass_digit_for_digit(number: str) -> None:
    assert b'"value":' + number.encode() + b"," in text_of(answer(point(value=number)))


@given(TEXTS, TEXTS, TEXTS, st.booleans())
def test_any_unicode_passes_unchanged(name, label, value, escaped) -> None:
    labels = json.dumps([{"name": label, "value": value}], ensure_ascii=escaped)
    body = answer(point(name=json.dumps(name, ensure_ascii=escaped), more=f',"labels":{labels}'))
    found = json.loads(text_of(body))[0]
    assert (found["name"], found["labels"]) == (name, [{"name": label, "value": value}])


@given(ESCAPED, st.sampled_from(["1", "NaN"]))
def test_what_is_mended_for_the_parser_comes_back_as_it_was_sent(escapes: str, value: str) -> None:
    name = f'"{escapes}"'
    assert json.loads(text_of(answer(point(name=name, value=value))))[0]["name"] == json.loads(name)


@each_row("sent, given_back", [("NaN", "NaN"), ("Infinity", "Infinity"), ("-Infinity", "-Infinity"), ('"NaN"', "NaN")])
def test_what_json_cannot_hold_is_a_string(sent: str, given_back: str) -> None:
    assert json.loads(text_of(answer(point(value=sent, name='"NaN, Infinity"'))))[0] == {
        "name": "NaN, Infinity", "value": given_back, "timestamp": "2026-03-29T01:00:00Z", "step": None, "labels": []
    }  # fmt: skip


def test_unknown_fields_are_dropped_and_missing_ones_filled() -> None:
    labels = '"labels":[{"name":"a","value":"b","c":1}],"step":3,"x":{"y":[1]}'
    found = json.loads(text_of(answer(point(more=f",{labels}"), point(more=',"labels":null,"step":null'))))
    assert found[0]["labels"] == [{"name": "a", "value": "b"}]
    assert [one["step"] for one in found] == [3, None]
    assert set(found[0]) == {"name", "value", "timestamp", "step", "labels"}


def test_one_unreadable_timestamp_is_null_and_counted() -> None:
    resource = mapped(answer(point(timestamp='"yesterday"'), point(), point(timestamp='"\\ud800"')))
    assert resource.unreadable == Unreadable(timestamps=2)
    assert [one["timestamp"] for one in json.loads(points_of(resource))] == [
        None, "2026-03-29T01:00:00Z", None
    ]  # fmt: skip


def test_a_byte_order_mark_and_pretty_printing_are_nothing_to_refuse() -> None:
    body = b"\xef\xbb\xbf" + json.dumps(json.loads(answer(point())), indent=3).encode()
    assert json.loads(text_of(body)) == json.loads(text_of(answer(point())))


def test_a_run_without_a_resource_is_absent() -> None:
    assert metric_resources(b'{"count":0,"resources":[]}', ["run1"]) == {}


@each_row("body", [
        b"", b"<html></html>", b"[]", b"{}", b'{"resources":{}}', b'{"resources":[{}]}', answer(point(), run="run2"),
        answer(point(name="1")), answer(point(name="null")), answer('{"value":1,"timestamp":"2026-03-29T01:00:00Z"}'),
        answer("1"), answer(point(more=',"labels":{}')), answer(point(more=',"labels":[{"name":"a"}]')),
        answer(point(more=',"labels":[{"name":"a","value":1}]')), answer(point())[:-4], answer("[" * 5000),
        answer(point(name='"\xff"')).replace("\xff".encode(), b"\xff"), answer(point(value="01")), answer(point(value="1.")),
        b'{"resources":[{"executionId":"run1"},{"executionId":"run1"}]}',
    ])  # fmt: skip
def test_what_is_not_the_ai_api_is_a_bad_gateway(body: bytes) -> None:
    with pytest.raises(BadGateway):
        metric_resources(body, ["run1"])


def test_another_runs_status_is_refused() -> None:
    assert run_status(b'{"id":"run1","status":"RUNNING"}', "run1").may_change
    assert run_status(b'{"id":"run1","status":"SOMETHING_NEW"}', "run1").may_change
    assert not run_status(b'{"id":"run1","status":"DEAD"}', "run1").may_change
    with pytest.raises(BadGateway):
        run_status(b'{"id":"run2","status":"RUNNING"}', "run1")
