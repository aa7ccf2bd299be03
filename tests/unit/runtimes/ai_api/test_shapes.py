"""Whatever a runtime sends, it is either the AI API, and then valid JSON comes out, or a bad gateway. Nothing else."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from service.domain.errors import BadGateway
from service.domain.metrics import READABLE, Unreadable
from service.runtimes.ai_api import meta
from service.runtimes.ai_api.mapping import metric_resources, run_status
from tests.rows import each_row
from tests.unit.runtimes.ai_api.answers import MOMENT, RUN, answer, metric, metrics_of, points_of, resource

WRONG = ["true", "false", "null", "{}", "[]", '{"a":"\\n"}', '["\\n"]', '[["\\ud83d"]]']
NOT_TEXT = ["1", "-0.5", *WRONG]
WHOLE = answer(
    metric('"step":1', '"labels":[{"name":"a","value":"\\u001f"}]', name='"l\\u00f6ss\\ud83d"', value="1.50e-3"),
    metric('"step":null', '"labels":null', value="NaN", timestamp='"2026-03-29t01:00:00.5+02:00"'),
    more=f',"createdAt":{MOMENT},"modifiedAt":null,"tags":[{{"name":"t","value":"é"}}],"customInfo":[],"x":{{"y":[1]}}',
)


def refusal(body: bytes) -> str:
    """What callers are told, which is nothing that the runtime sent."""
    with pytest.raises(BadGateway) as caught:
        metric_resources(body, [RUN])
    return caught.value.detail


@each_row("literal", NOT_TEXT)
def test_a_name_that_is_no_text_is_refused(literal: str) -> None:
    assert "loss" not in refusal(answer(metric(name=literal)))


@each_row("literal", ["01", "-01", "1.", ".5", "+1", "1e", "1e+", "--1", "0x1", "1_000", "1.5.5", "-"])
def test_a_number_that_json_does_not_know_is_refused(literal: str) -> None:
    assert "loss" not in refusal(answer(metric(value=literal)))
    assert "loss" not in refusal(answer(metric(f'"x":{literal}')))


@each_row("literal", ["nan", "NAN", "inf", "infinity", "+Infinity", "+NaN", "-NaN", "NaNs", "1Infinity"])
def test_only_the_three_spellings_of_what_json_cannot_hold_are_mended(literal: str) -> None:
    assert "loss" not in refusal(answer(metric(value=literal)))


@each_row(
    "literal",
    [
        "0",
        "1",
        "1.0",
        "9007199254740993",
        "1" + "0" * 999,
        "null",
        "-1",
        "-0",
        "-" + "9" * 1000,
        "1e3",
        "-1.5E1",
        "1e999",
    ],
)
def test_a_step_passes_as_it_was_sent(literal: str) -> None:
    assert f'"step":{literal},' in metrics_of(answer(metric(f'"step":{literal}'))).decode()


@each_row(
    "literal",
    ["1", '"a"', "{}", "true", "[1]", "[null]", '["a"]', "[[]]", "[{}]", '[{"name":"a"}]', '[{"value":"a"}]']
    + [f'[{{"name":"a","value":{wrong}}}]' for wrong in NOT_TEXT]
    + [f'[{{"name":{wrong},"value":"a"}}]' for wrong in NOT_TEXT],
)
def test_what_are_no_pairs_of_texts_is_refused(literal: str) -> None:
    assert "loss" not in refusal(answer(metric(f'"labels":{literal}')))
    assert "loss" not in refusal(answer(more=f',"tags":{literal}'))
    assert "loss" not in refusal(answer(more=f',"customInfo":{literal}'))


def test_a_metric_without_a_name_is_refused() -> None:
    assert "loss" not in refusal(answer('{"value":1,"timestamp":"2026-03-29T01:00:00Z"}'))


@each_row("literal", ["1", "true", "{}", "[]", '{"a":"\\n"}'])
@each_row("member", ["createdAt", "modifiedAt"])
def test_a_moment_of_the_resource_that_is_no_text_is_null_and_counted(member: str, literal: str) -> None:
    found = resource(answer(metric(), more=f',"{member}":{literal}'))
    assert (found.created_at, found.modified_at, found.count) == (b"null", b"null", 1)
    assert (found.unreadable, found.unreadable_moments) == (READABLE, 1)


@each_row("member", ["metrics", "tags", "customInfo", "createdAt", "modifiedAt"])
@each_row("given", [True, False])
def test_an_optional_member_may_be_null_or_missing(member: str, given: bool) -> None:
    found = resource(
        f'{{"resources":[{{"executionId":"{RUN}"{f",{member!r}:null" if given else ""}}}]}}'.replace("'", '"').encode()
    )
    assert (found.created_at, found.modified_at) == (b"null", b"null")
    assert (found.metrics, found.tags, found.custom_info) == ((), b"[]", b"[]")
    assert (found.count, found.unreadable) == (0, READABLE)


@each_row("body", [
        b"", b" ", b"null", b"1", b"true", b'"text"', b"[]", b"{}", b"{", b'{"resources"', b'{"resources":null}',
        b'{"resources":1}', b'{"resources":{}}', b'{"resources":[null]}', b'{"resources":[1]}', b'{"resources":[[]]}',
        b'{"resources":[{}]}', b'{"resources":[{"executionId":null}]}', b'{"resources":[{"executionId":1}]}',
        b"<!DOCTYPE html><html><body>502</body></html>", b"upstream connect error", b'{"error":{"code":"1"}}',
        b"\x1f\x8b\x08\x00garbage", b"\xff\xfe{\x00}\x00", b'{"resources":[]}'.decode().encode("utf-16"),
        b'{"resources":[]}\x00', b'{"resources":[]} {"resources":[]}', b'{"resources":[]},', b"{'resources':[]}",
        b'{"resources":[],}', b'{"resources":[] /* none */}', b"\xef\xbb\xbf", b"\xef\xbb\xbf\xef\xbb\xbf" + WHOLE,
        b'{"x":"\xff","resources":[]}', b'{"x":"\xed\xa0\x80","resources":[]}', b'{"x":"\xc0\x80","resources":[]}',
        b'{"x":"\n","resources":[]}', b'{"x":"\x1e","resources":[]}', b'{"x":"\\x41","resources":[]}',
        answer(metric(name='"\x00"')), answer(metric(name='"\x1e\x1e\x1e"')), answer(metric(name='"\\u12"')),
        answer(metric(timestamp='"\x1e"')), answer(metric('"labels":[{"name":"\x1ea","value":"b"}]')),
        answer("null"), answer("1"), answer('"a"'), answer("[]"), answer("{}"),
    ])  # fmt: skip
def test_what_is_not_the_ai_api_is_refused(body: bytes) -> None:
    assert "loss" not in refusal(body)


@each_row(
    "deep", ["[" * 100_000, '{"a":' * 100_000, "[" * 50_000 + "]" * 50_000, '{"a":' * 20_000 + "1" + "}" * 20_000]
)
def test_depth_without_end_is_refused(deep: str) -> None:
    assert "loss" not in refusal(deep.encode())
    assert "loss" not in refusal(answer(metric(f'"x":{deep}')))
    assert "loss" not in refusal(answer(metric(f'"labels":{deep}')))
    assert "loss" not in refusal(answer(metric(f'"x":[NaN,{deep}]')))


@each_row(
    "runs", [["run2"], [RUN, RUN], [RUN, "run2"], ["run2", RUN], ["RUN1"], ["run1 "], [""], ["\\ud83d"], ["run\\u0000"]]
)
def test_another_runs_resource_or_one_twice_is_refused(runs: list[str]) -> None:
    assert "loss" not in refusal(
        f'{{"resources":[{",".join(f"""{{"executionId":"{run}"}}""" for run in runs)}]}}'.encode()
    )


def test_resources_are_distinguished_by_their_run_whatever_their_order() -> None:
    two = [answer(metric(value=value)).decode()[len('{"count":1,"resources":[') : -2] for value in "12"]
    body = f'{{"resources":[{two[0]},{two[1].replace(RUN, "run2")}]}}'.encode()
    for asked in ([RUN, "run2"], ["run2", RUN], ["run0", "run2", RUN]):
        found = metric_resources(body, asked)
        assert {run: json.loads(points_of(one))[0]["value"] for run, one in found.items()} == {RUN: 1, "run2": 2}


def test_the_runtimes_order_is_kept() -> None:
    values = list(range(500))
    random.Random(1).shuffle(values)
    found = json.loads(metrics_of(answer(*(metric(f'"step":{value}', value=str(value)) for value in values))))
    assert [each["value"] for each in found] == values
    assert resource(answer(*(metric() for _ in values))).count == 500


@each_row("indent, separators", [(4, None), ("\t", (" ,\r\n", " :\t")), (None, (",", ":"))])
def test_white_space_between_tokens_means_nothing(indent, separators) -> None:
    document = json.loads(WHOLE.replace(b"NaN", b'"NaN"'))
    spaced = json.dumps(document, indent=indent, separators=separators).encode()
    for body in (spaced, b" \r\n\t" + spaced + b"\n\n", b"\xef\xbb\xbf" + spaced):
        assert json.loads(metrics_of(body)) == json.loads(metrics_of(WHOLE))
        assert resource(body).tags == resource(json.dumps(document).encode()).tags


def test_unknown_members_are_dropped_everywhere() -> None:
    odd = '"x":{"y":[1,{"z":"\\u001e"}]},"é":null,"":0'
    body = answer(
        metric(odd, f'"labels":[{{"name":"a","value":"b",{odd}}}]'),
        more=f',{odd},"tags":[{{{odd},"name":"t","value":"u"}}]',
    )
    found = resource(body)
    assert json.loads(points_of(found)) == [
        {
            "name": "loss",
            "value": 1,
            "timestamp": "2026-03-29T01:00:00Z",
            "step": None,
            "labels": [{"name": "a", "value": "b"}],
        }
    ]
    assert json.loads(found.tags) == [{"name": "t", "value": "u"}]


@pytest.mark.parametrize("written", ["2026-03-29T01:00:00\\u005A", "\\u0032026-03-29\\u005401:00:00.\\u0035Z"])
def test_a_timestamp_may_be_written_with_escapes(written: str) -> None:
    found = resource(answer(metric(timestamp=f'"{written}"'), more=f',"createdAt":"{written}"'))
    assert found.unreadable == READABLE
    assert json.loads(found.created_at) == json.loads(f'"{written}"')


UNREADABLE = st.text(max_size=30) | st.text(st.characters(categories=["Cs", "Nd"]), max_size=4)


@given(UNREADABLE, st.booleans())
@example("", False)
@example("0000-00-00T00:00:00Z", False)
@example("2026-02-30T00:00:00Z", False)
@example("\ud83d", True)
@example("\x1e", True)
def test_an_unreadable_timestamp_takes_nothing_else_down(text: str, escaped: bool) -> None:
    literal = json.dumps(text, ensure_ascii=escaped or not text.isprintable())
    body = answer(metric(timestamp=literal), metric(), more=f',"modifiedAt":{literal}')
    found = resource(body)
    assert (found.unreadable, found.unreadable_moments) == (Unreadable(timestamps=1), 1)
    assert found.modified_at == b"null"
    assert [each["timestamp"] for each in json.loads(points_of(found))] == [None, "2026-03-29T01:00:00Z"]


@given(st.randoms(use_true_random=False), st.integers(1, 6))
def test_damage_gives_valid_json_or_a_bad_gateway(chance: random.Random, wounds: int) -> None:
    body = bytearray(WHOLE)
    for _ in range(wounds):
        start = chance.randrange(len(body))
        end = start + chance.choice([0, 1, 1, 2, 9])
        body[start:end] = chance.choice(
            [
                b"",
                b'"',
                b"\\",
                b"{",
                b"}",
                b"[",
                b"]",
                b",",
                b":",
                b"0",
                b"-",
                b"NaN",
                b"\x1e",
                b"\\ud800",
                b"\\u001f",
                b"\xff",
            ]
            + [bytes([chance.randrange(256)]), bytes(body[:20]), b"null", b"e5", b"Infinity"]
        )
    try:
        found = resource(bytes(body))
    except (BadGateway, KeyError):
        return
    whole = b'{"createdAt":%b,"metrics":%b}' % (found.created_at, points_of(found))
    read = [json.loads(part.decode(), parse_constant=pytest.fail) for part in (whole, found.tags, found.custom_info)]
    assert [type(each) for each in read] == [dict, list, list]


@given(st.binary(max_size=60))
@example(b"")
@example(b"[" * 50)
@example(b'{"id":"run1","status":"\\ud83d"}')
def test_no_bytes_make_any_reader_fail_otherwise(body: bytes) -> None:
    for read in (lambda: metric_resources(body, [RUN]), lambda: run_status(body, RUN), lambda: meta.capabilities(body)):
        try:
            found = read()
        except BadGateway:
            continue
        assert found is not None


@given(st.integers(0, len(WHOLE) - 1))
def test_an_answer_cut_short_is_refused(length: int) -> None:
    assert "loss" not in refusal(WHOLE[:length])
