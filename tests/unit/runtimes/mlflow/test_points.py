"""Histories of MLflow become points: regular ones in columns, odd ones one by one, and both ways say the same."""

from __future__ import annotations

import json
from itertools import permutations
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from service.domain.errors import BadGateway
from service.domain.metrics import MOST_MEMBER_BYTES, Chunk, Unreadable
from service.domain.selection.chunks import POINTS_A_CHUNK
from service.runtimes.mlflow import points, run_documents, run_mapping
from service.runtimes.mlflow.points import Page
from testing.work import calls
from tests.rows import each_row

KEYS = st.text("abcäößé金 /_-.:", min_size=1, max_size=12)
POINTS = st.lists(
    st.fixed_dictionaries(
        {
            "value": st.floats(allow_nan=False, allow_infinity=False) | st.just("NaN"),
            "timestamp": st.integers(0, 253_402_300_799_999),
            "step": st.integers(-(2**63), 2**63 - 1),
        }
    ),
    min_size=1,
    max_size=20,
)


def history(logged: list[dict[str, Any]], key: str = "loss", token: str | None = None, indent: int | None = 2) -> bytes:
    ordered = [{"key": key, **{member: point[member] for member in ("value", "timestamp", "step")}} for point in logged]
    document: dict[str, Any] = {"metrics": ordered} if logged else {}
    if token is not None:
        document["next_page_token"] = token
    return json.dumps(document, indent=indent).encode()


ORDERS = [("key", "value", "timestamp", "step"), *permutations(("key", "run_id", "step", "timestamp", "value"))]
"""Of ``get-history``, and any of ``get-history-bulk``: its servers sort members, or do not."""


def bulk(logged: list[dict[str, Any]], key: str, order: tuple[str, ...], *, spaced: bool) -> bytes:
    of_run = {"key": key, "run_id": "run1"}
    metrics = [{member: {**of_run, **point}[member] for member in order} for point in logged]
    return json.dumps({"metrics": metrics}, separators=(", ", ": ") if spaced else (",", ":")).encode()


def point(value: object = 0.5, timestamp: object = 1_774_746_000_123, step: object = 1) -> dict[str, Any]:
    return {"value": value, "timestamp": timestamp, "step": step}


def read(body: bytes, key: str = "loss") -> Page:
    return points.page(body, key, {})


def points_of(page: Page) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(b"[" + b",".join(chunk.text for chunk in page.chunks) + b"]")
    assert len(found) == page.count
    return found


@given(POINTS, KEYS, st.sampled_from([None, 0, 2]))
@example([point(), point(1e22), point(-0.0), point(1.7976931348623157e308)], "a/b c: ö", 2)
def test_both_ways_say_the_same(logged: list[dict[str, Any]], key: str, indent: int | None) -> None:
    body = history(logged, key, "next", indent)
    regular = points._regular(body, key)
    assert regular is not None
    assert regular == points.point_by_point(body, key, {})
    assert regular.token == "next"
    assert [(each["name"], each["value"], each["step"]) for each in points_of(regular)] == [
        (key, each["value"], each["step"]) for each in logged
    ]


@given(POINTS, KEYS, st.sampled_from(ORDERS), st.booleans())
def test_both_ways_say_the_same_in_whatever_order_members_are(
    logged: list[dict[str, Any]], key: str, order: tuple[str, ...], spaced: bool
) -> None:
    body = bulk(logged, key, order, spaced=spaced)
    regular = points._regular(body, key, "run1")
    assert regular is not None
    assert regular == points.point_by_point(body, key, {}, "run1") == read(history(logged, key), key)


@pytest.mark.parametrize("more", [[], [point(value=None)]], ids=["regular", "odd"])
def test_another_runs_points_are_a_bad_gateway(more: list[dict[str, Any]]) -> None:
    body = bulk([point(), point(), *more], "loss", ORDERS[1], spaced=False)
    assert points.page(body, "loss", {}, "run1").count == 2 + len(more)
    for wrong in (body.replace(b"run1", b"run2"), body.replace(b"run1", b"run2", 1)):
        with pytest.raises(BadGateway):
            points.page(wrong, "loss", {}, "run1")


@pytest.mark.parametrize(
    "last",
    ['{"key":"loss","value":1,"timestamp":1,"step":1,"more":{}}', '{"key":"loss","value":1,"timestamp":1,"step":1'],
)
def test_a_last_point_unlike_the_others_is_not_cut_to_their_shape(last: str) -> None:
    body = history([point(), point()], indent=None).replace(b", ", b",").replace(b": ", b":").decode()
    odd = f"{body[: body.rindex(']')]},{last}]}}".encode()
    assert points._regular(body.encode(), "loss") is not None
    assert points._regular(odd, "loss") is None


def test_a_point_that_is_spaced_otherwise_is_given_and_warned_of_as_the_others() -> None:
    body = history([point(), point(timestamp=0)]).replace(b'"timestamp": 0', b'"timestamp":  0')
    assert read(body) == read(history([point(), point(timestamp=0)]))
    assert read(body).unreadable.at_epoch == 1


def test_columns_never_shift_where_one_point_lacks_what_another_has_twice() -> None:
    regular = history([point(), point(2, 3, 4)], indent=None)
    lacking = regular.replace(b', "timestamp": 3', b"")
    twice = lacking.replace(b', "timestamp": 1774746000123', b', "timestamp": 7, "timestamp": 1774746000123')
    assert points._regular(twice, "loss") is None
    assert [(each["value"], each["step"]) for each in points_of(read(twice))] == [(0.5, 1), (2, 4)]
    with pytest.raises(BadGateway):
        read(regular.replace(b'"step": 4', b"4"))


def test_an_instant_is_given_in_milliseconds() -> None:
    assert [each["timestamp"] for each in points_of(read(history([point(), point(timestamp=1)])))] == [
        "2026-03-29T01:00:00.123Z",
        "1970-01-01T00:00:00.001Z",
    ]


def test_numbers_are_given_as_they_were_sent() -> None:
    body = history([point(1.0), point(1e22), point(1.7976931348623157e308)])
    assert b'"value":1.0,' in read(body).chunks[0].text
    assert b'"value":1e+22,' in read(body).chunks[0].text
    assert b'"value":1.7976931348623157e+308,' in read(body).chunks[0].text, "not Infinity: it cannot be told from it"


def test_bare_nan_is_read_too() -> None:
    page = read(history([point(), point(float("nan")), point(float("-inf"))]))
    assert [each["value"] for each in points_of(page)] == [0.5, "NaN", "-Infinity"]


def test_a_step_may_be_negative() -> None:
    assert points_of(read(history([point(step=-3)])))[0]["step"] == -3


@each_row("timestamp", [2**63 - 1, 253_402_300_800_000, -(10**18), "x", None, 1.5])
def test_an_instant_without_a_text_is_null_and_warned_of(timestamp: object) -> None:
    page = read(history([point(timestamp=timestamp), point()]))
    assert [each["timestamp"] for each in points_of(page)] == [None, "2026-03-29T01:00:00.123Z"]
    assert page.unreadable == Unreadable(timestamps=1)


@pytest.mark.parametrize("more", [[], [point(value=None)]], ids=["regular", "odd"])
def test_the_epoch_is_given_and_warned_of(more: list[dict[str, Any]]) -> None:
    page = read(history([point(0.0, 0, 0), point(), *more]))
    assert points_of(page)[0] == {
        "name": "loss",
        "value": 0.0,
        "timestamp": "1970-01-01T00:00:00.000Z",
        "step": 0,
        "labels": [],
    }
    assert page.unreadable.at_epoch == 1


@each_row("member, odd", [("value", "high"), ("value", None), ("step", 1.5), ("step", "x")])
def test_one_odd_member_hides_no_other_point(member: str, odd: object) -> None:
    page = read(history([point(), {**point(), member: odd}, point()]))
    assert [each[member] for each in points_of(page)] == [point()[member], None, point()[member]]


def test_numbers_of_64_bits_may_be_strings() -> None:
    assert points_of(read(history([point(timestamp="1774746000123", step="-1")])))[0]["step"] == -1


def test_no_points_are_an_empty_history() -> None:
    assert read(b"{}") == Page([])


@each_row("body", [b"", b"[]", b"<html>", b"null", b'{"metrics": 1}', history([point()], "other"), b'{"metrics": [1]}'])
def test_anything_else_is_a_bad_gateway(body: bytes) -> None:
    with pytest.raises(BadGateway):
        read(body)


def test_points_of_another_member_are_not_the_historys() -> None:
    assert read(history([point()]).replace(b'"metrics"', b'"metrix"')) == Page([])


def test_a_point_of_another_metric_among_others_is_found() -> None:
    mixed = history([point()] * 3).replace(b'"key": "loss"', b'"key": "else"', 2).replace(b"else", b"loss", 1)
    with pytest.raises(BadGateway):
        read(mixed)


@given(st.lists(st.integers(1, 300), min_size=1, max_size=4), st.integers(1, 2000))
@example([100], 1000)
def test_a_long_history_is_what_it_is_point_by_point(digits: list[int], count: int) -> None:
    body = history([point(value=10 ** digits[step % len(digits)], step=step) for step in range(count)])
    page = read(body)
    assert page == points.point_by_point(body, "loss", {})
    assert page.count == count


def test_long_histories_are_cut_into_chunks() -> None:
    page = read(history([point(step=step) for step in range(2 * POINTS_A_CHUNK + 1)]))
    assert [chunk.count for chunk in page.chunks] == [POINTS_A_CHUNK, POINTS_A_CHUNK, 1]


def test_no_object_is_made_of_a_regular_point() -> None:
    few, many = (history([point(step=step) for step in range(count)]) for count in (100, 1900))
    read(few)
    assert calls(lambda: read(many)) < calls(lambda: read(few)) + 100  # a few for each block of some 250 points


def test_labels_are_given_to_the_points_that_are_a_models() -> None:
    place = (b"1774746000123", b"1", b"0.5")
    page = points.page(history([point(), point(step=2)]), "loss", {place: [b'[{"name":"a","value":"b"}]', b"[]"]})
    assert [(each["step"], each["labels"]) for each in points_of(page)] == [
        (1, [{"name": "a", "value": "b"}]),
        (1, []),
        (2, []),
    ]
    assert page.label_names == ("a",)


def test_label_names_of_pages_are_by_first_appearance() -> None:
    def labelled(*names: str) -> list[bytes]:
        return [json.dumps([{"name": name, "value": ""} for name in names]).encode()]

    labels = {
        (b"1774746000123", b"%d" % step, b"0.5"): given for step, given in ((1, labelled("b")), (2, labelled("a", "b")))
    }
    first, second, of_none = (points.page(history([point(step=step)]), "loss", labels) for step in (2, 1, 3))
    assert points.all_label_names([of_none, second, first]) == ("b", "a")
    assert of_none.label_names == read(history([point()])).label_names == (), "though the model has labels for others"


def test_pages_that_moved_are_noticed_and_mended() -> None:
    first, moved, further = (
        read(history([point(step=step) for step in steps])) for steps in ((1, 2, 3), (3, 4), (4, 5))
    )
    assert points.moved(moved, first)
    assert not points.moved(further, first)
    assert [each["step"] for each in points_of(points.without_repeats(moved, first))] == [4]


def test_few_points_of_many_metrics_share_a_chunk() -> None:
    chunks = [Chunk(b'{"n":%d}' % number, 1) for number in range(POINTS_A_CHUNK + 1)]
    merged = points.merged(chunks)
    assert [chunk.count for chunk in merged] == [POINTS_A_CHUNK, 1]
    assert b",".join(chunk.text for chunk in merged) == b",".join(chunk.text for chunk in chunks)
    assert points.merged([]) == ()


def test_joining_chunks_takes_as_long_as_there_are_chunks() -> None:
    work = [calls(lambda count=count: points.merged([Chunk(b"{}", 1)] * count)) for count in (900, 1800)]
    assert work[1] < 2.1 * work[0]


def test_a_value_that_is_longer_than_anybody_reads_is_null_and_counted() -> None:
    body = history([point(), point(0.25), point()]).replace(b"0.25", b"1" * (MOST_MEMBER_BYTES + 1))
    page = read(body)
    assert [each["value"] for each in points_of(page)] == [0.5, None, 0.5]
    assert page.unreadable == Unreadable(values=1)


@each_row("member", ["metrics", "params", "tags"])
def test_a_key_has_a_longest_length(member: str) -> None:
    def body(length: int) -> bytes:
        pair = {"key": "k" * length, "value": "1"}
        return json.dumps({"run": {"info": {"run_id": "run1"}, "data": {member: [pair]}}}).encode()

    run_documents.run_of(body(run_documents.MOST_KEY), "run1")
    with pytest.raises(BadGateway, match="a key of more than 1,000 characters"):
        run_documents.run_of(body(run_documents.MOST_KEY + 1), "run1")


def test_what_every_point_repeats_of_its_model_has_a_longest_length() -> None:
    def labels(length: int) -> object:
        info = {"model_id": "m-1", "name": "n" * length}
        logged = {"key": "loss", "value": 1, "timestamp": 1, "step": 1, "run_id": "run1"}
        model = run_documents.logged_model(
            json.dumps({"model": {"info": info, "data": {"metrics": [logged]}}}).encode()
        )
        run = run_documents.run_of(b'{"run":{"info":{"run_id":"run1"}}}', "run1")
        return run_mapping.labels(run, [model])

    assert labels(10_000)
    with pytest.raises(BadGateway, match="too long a name"):
        labels(run_mapping.MOST_LABEL_BYTES)
