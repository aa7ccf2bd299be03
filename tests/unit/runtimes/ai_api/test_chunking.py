"""Answers read stretch by stretch: whatever comes out is what reading them as a whole gives."""

from __future__ import annotations

import contextlib
import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.errors import BadGateway
from service.domain.metrics import MOST_LABEL_NAMES, Chunk
from service.runtimes.ai_api import chunking
from service.runtimes.ai_api.mapping import metric_resources
from service.runtimes.ai_api.points import PointMapping
from testing.work import calls
from tests.rows import each_row
from tests.unit.runtimes.ai_api.answers import points_of

WHOLE = 10**9
NAMES = st.sampled_from(
    ["loss", '},{"name":"x', '"metrics":[', "]},{", '"timestamp":"', 'Z"', "+00:00", "\ud83d", "é", ""]
)
STAMPS = st.sampled_from(
    ["2026-03-29T01:00:00Z", "2026-03-29T01:00:00.123456Z", "2026-03-29T01:00:00.5+00:00", "2026-03-29t01:00:00z"]
    + ["2026-03-29T03:00:00+02:00", "2026-03-29T01:00:60Z", "0001-01-01T00:00:00+01:00", "yesterday"]
)
ODD = st.sampled_from([None, True, "1", "NaN", 1.5, [1], {"name": "x"}, -(10**999), 10**1000])
LABELS = st.lists(st.fixed_dictionaries({"name": NAMES, "value": NAMES}), max_size=2)
POINTS = st.fixed_dictionaries(
    {"name": NAMES},
    optional={
        "value": st.integers() | st.floats() | ODD,
        "timestamp": STAMPS | ODD,
        "step": st.integers(-(2**70), 2**70) | ODD,
        "labels": st.none() | LABELS,
    },
)
ALIKE = st.fixed_dictionaries(
    {
        "labels": LABELS,
        "name": NAMES,
        "value": st.floats(allow_nan=False),
        "timestamp": STAMPS,
        "step": st.integers(-9, 9),
    }
)
PAIRS = st.lists(st.fixed_dictionaries({"name": NAMES, "value": NAMES}), max_size=2)
RESOURCES = st.fixed_dictionaries(
    {},
    optional={
        "createdAt": STAMPS,
        "metrics": st.none() | st.lists(POINTS, max_size=12) | st.lists(ALIKE, max_size=12),
        "tags": PAIRS,
        "customInfo": PAIRS,
        "more": st.fixed_dictionaries({"metrics": st.lists(ALIKE, max_size=1)}),
    },
)


def written(resources: list[dict[str, object]], *, compact: bool, escaped: bool) -> bytes:
    numbered = [{**one, "executionId": f"run{number}"} for number, one in enumerate(resources)]
    text = json.dumps(
        {"count": len(numbered), "resources": numbered},
        separators=(",", ":") if compact else None,
        ensure_ascii=escaped,
    )
    return text.encode("utf-8", "surrogatepass")


def read(body: bytes, stretch: int) -> object:
    try:
        found = metric_resources(body, ["run0", "run1", "run2"], stretch=stretch)
    except BadGateway:
        return "bad gateway"
    return {
        run_id: (points_of(one), one.created_at, one.tags, one.custom_info, one.unreadable)
        for run_id, one in found.items()
    }


@given(st.lists(RESOURCES, max_size=3), st.integers(1, 600), st.booleans(), st.booleans())
def test_stretches_give_what_the_whole_gives(resources, stretch: int, compact: bool, escaped: bool) -> None:
    body = written(resources, compact=compact, escaped=escaped)
    assert read(body, stretch) == read(body, WHOLE)


@given(st.lists(ALIKE | POINTS, min_size=1, max_size=8), st.booleans())
def test_the_short_way_gives_what_the_long_one_gives(points, compact: bool) -> None:
    body = written([{"metrics": points}], compact=compact, escaped=True)
    text = body[body.index(b"[", body.index(b'"metrics"')) + 1 : body.rindex(b"]", 0, body.rindex(b"]"))]
    short, long = PointMapping(), PointMapping()
    assert points_of_chunk(short, text, short.chunk) == points_of_chunk(long, text, long.point_by_point)


@pytest.mark.parametrize("escaped", ["2026-03-29T01:00:00\\u002B00:00", "2026-03-29T01:00:00\\u005A"])
def test_timestamps_may_be_written_with_escapes(escaped: str) -> None:
    """.NET writes the plus sign of a text so."""
    text = b'{"name":"a","value":1,"timestamp":"%b","labels":[{"name":"x","value":"+00:00"}]}' % escaped.encode()
    chunk = PointMapping().chunk(b",".join([text] * 400))
    points = json.loads(b"[" + chunk.text + b"]")
    assert {point["timestamp"] for point in points} == {"2026-03-29T01:00:00Z"}
    assert b'"timestamp":"2026-03-29T01:00:00Z"' in chunk.text
    assert {point["labels"][0]["value"] for point in points} == {"+00:00"}


def test_a_timestamp_that_is_there_twice_does_not_stand_for_one_that_is_written_differently() -> None:
    one, other = b'"timestamp" : "2026-03-29T01:00:00Z"', b'"timestamp":"2026-03-29T02:00:00Z"'
    text = b'{"name":"a","value":1,%b},{"name":"a","value":1,%b,%b}' % (one, other, other)
    assert PointMapping().chunk(text).text.count(b'"timestamp":"2026-03-29T0') == 2
    assert b'"timestamp":"2026-03-29T01:00:00Z"' in PointMapping().chunk(text).text


def points_of_chunk(mapping: PointMapping, text: bytes, read_chunk: chunking.Read) -> object:
    chunk = read_chunk(text)
    keyed = json.loads(b"[" + chunk.text + b"]", parse_int=str, parse_float=str)
    return keyed, chunk.count, mapping.unreadable


@given(st.lists(RESOURCES, max_size=2), st.integers(1, 600), st.booleans())
def test_label_names_are_those_of_the_points_by_first_appearance(resources, stretch: int, escaped: bool) -> None:
    """Unknown only where text is not Unicode."""
    body = written(resources, compact=False, escaped=escaped)
    with contextlib.suppress(BadGateway):
        for resource in metric_resources(body, ["run0", "run1"], stretch=stretch).values():
            points = json.loads(points_of(resource))
            names = tuple(dict.fromkeys(label["name"] for point in points for label in point["labels"]))
            assert resource.label_names == (None if "\ud83d" in names else names)


def test_of_a_label_name_that_is_there_twice_the_last_one_counts() -> None:
    text = b'{"name":"a","value":1,"timestamp":"2026-03-29T01:00:00Z","labels":[{"name":"x","name":"y","value":"v"}]}'
    mapping = PointMapping()
    assert mapping.chunk(b",".join([text] * 400)).count == 400
    assert mapping.label_names == ("y",)


def test_no_more_label_names_are_kept_than_a_table_has_columns() -> None:
    points = [
        {"name": "a", "value": 1, "timestamp": "2026-03-29T01:00:00Z", "step": 1, "labels": labels(n)} for n in range(9)
    ]
    body = written([{"metrics": points}], compact=True, escaped=True)
    resource = metric_resources(body, ["run0"], stretch=100)["run0"]
    assert len(resource.metrics) == len(points)
    assert resource.label_names == tuple(f"l{number}" for number in range(MOST_LABEL_NAMES))


def labels(number: int) -> list[dict[str, str]]:
    return [{"name": f"l{each}", "value": "x"} for each in range(number * 50, number * 50 + 50)]


def regular(count: int) -> bytes:
    points = [
        {"name": "loss", "value": 0.5, "timestamp": f"2026-03-29T01:00:{n % 60:02d}Z", "step": n, "labels": [{"name": "a", "value": "b"}]}
        for n in range(count)
    ]  # fmt: skip
    return written([{"metrics": points, "tags": []}], compact=True, escaped=True)


def test_a_long_answer_is_kept_in_stretches_as_it_is() -> None:
    body = regular(1000)
    found = metric_resources(body, ["run0"], stretch=10_000)["run0"]
    assert len(found.metrics) > 5
    assert b",".join(chunk.text for chunk in found.metrics) in body


@each_row("at", [0.1, 0.5, 0.999])
@each_row("garbage", [b"}", b"]", b'"', b",", b"\x00", b"\xff", b"{"])
def test_garbage_in_any_stretch_is_refused(at: float, garbage: bytes) -> None:
    body = regular(200)
    position = body.index(b'{"name":"loss"', int(at * (len(body) - 300)))
    broken = body[:position] + garbage + body[position:]
    with pytest.raises(BadGateway):
        metric_resources(broken, ["run0"], stretch=2_000)


def test_an_answer_cut_short_is_refused() -> None:
    body = regular(50)
    for length in range(0, len(body), 7):
        with pytest.raises(BadGateway):
            metric_resources(body[:length], ["run0"], stretch=1_000)


def bytes_read(body: bytes, stretch: int, most: int = 5) -> int:
    """How much of ``body`` is handed over to be read, all attempts together."""
    read = 0

    def reader(text: bytes) -> Chunk:
        nonlocal read
        read += len(text)
        return PointMapping().chunk(text)

    with contextlib.suppress(chunking.Unusual):
        chunking.cut(body, lambda: reader, most, stretch)
    return read


ONE = b'{"name":"a","value":1,"timestamp":"2026-03-29T01:00:00Z"}'
ODD_POINTS = b'{"name":"a","value":1,"timestamp":0},{"a":[{},{}]}'


@each_row(
    "body",
    [
        b'{"resources":[' + b",".join([b'{"executionId":"r","metrics":[%b]}' % ONE] * 5000) + b"]}",
        b'{"resources":[' + b",".join([b'{"metrics":[%b],"tags":[]}' % ONE] * 5000) + b"]}",
        b'{"resources":[{"metrics":[' + b",".join([ODD_POINTS] * 5000) + b"]}]}",
        b'{"metrics":[' * 20_000,
        b'{"metrics":[{}]},' * 20_000,
        b'{"metrics":[' + b"},{" * 100_000,
        b'{"metrics":[' + b"]},{" * 80_000,
        b'{"metrics":[' + b'}],"tags"' * 30_000,
    ],
)
@each_row("stretch", [1_000, chunking.STRETCH])
def test_what_is_read_is_a_few_times_the_answer_at_most(body: bytes, stretch: int) -> None:
    """A megabyte of runs nobody asked for, a point each, took a minute."""
    assert bytes_read(body, stretch) <= (chunking.IN_VAIN + 2) * len(body) + stretch
    assert calls(lambda: metric_resources_or_not(body, stretch)) < len(body) + 10_000


def metric_resources_or_not(body: bytes, stretch: int) -> None:
    with contextlib.suppress(BadGateway):
        metric_resources(body, ["r"], stretch=stretch)


def test_no_more_arrays_are_cut_than_runs_were_asked_for() -> None:
    body = b'{"resources":[' + b",".join([b'{"executionId":"r","metrics":[%b]}' % ONE] * 3) + b"]}"
    with pytest.raises(chunking.Unusual):
        chunking.cut(body, lambda: PointMapping().chunk, 2)
    assert len(chunking.cut(body, lambda: PointMapping().chunk, 3)[1]) == 3


def test_where_the_next_run_begins_soon_little_is_read_in_vain() -> None:
    body = written(json.loads(regular(200))["resources"] * 5, compact=True, escaped=True)
    assert bytes_read(body, 15_000) < 1.5 * len(body)


PLAIN = st.sampled_from(["loss", "}]},{", "Z", "+00:00", "timestamp", "é", ""])
REGULAR = st.fixed_dictionaries(
    {
        "name": PLAIN,
        "value": st.floats(allow_nan=False, allow_infinity=False) | st.integers(-9, 10**22),
        "timestamp": st.sampled_from(
            ["2026-03-29T01:00:00Z", "2026-03-29T01:00:00.5Z", "2026-03-29T23:59:59+00:00", "2024-02-29T00:00:00.123Z"]
        ),
        "step": st.integers(-9, 2**63 - 1),
        "labels": PLAIN.map(lambda value: [{"name": "group", "value": value}]),
    }
)


def test_an_offset_is_not_taken_for_utc_beside_a_label_that_reads_as_utc() -> None:
    stamped = [("2026-03-29T01:00:00+02:00", "+00:00"), ("2026-03-29T01:00:00+00:00", "a")]
    texts = [
        f'{{"name":"l","value":1,"timestamp":"{stamp}","step":1,"labels":[{{"name":"l","value":"{label}"}}]}}'
        for stamp, label in stamped * 500
    ]
    found = json.loads(b"[" + PointMapping().chunk(",".join(texts).encode()).text + b"]")
    assert {(point["timestamp"], point["labels"][0]["value"]) for point in found} == {
        ("2026-03-28T23:00:00Z", "+00:00"),
        ("2026-03-29T01:00:00Z", "a"),
    }


@given(
    st.lists(REGULAR, min_size=2, max_size=5),
    st.sets(st.sampled_from(["step", "labels"])),
    st.booleans(),
    st.sampled_from(["", "Z", "2", "9", "-", '"', "0", "{", ":"]),
    st.integers(0, 400),
    st.integers(0, 2),
)
def test_columns_give_what_the_points_one_by_one_give(points, lacking, compact: bool, put: str, at, dropped) -> None:
    """Also where a part of the text is another: columns then have none of it, or what the text says."""
    alike = [{name: point[name] for name in points[0] if name not in lacking} for point in points]
    text = json.dumps(alike, ensure_ascii=False, separators=(",", ":") if compact else None).encode()[1:-1]
    if put or dropped:
        text = text[:at] + put.encode() + text[at + dropped :]
    fast, slow = PointMapping(), PointMapping()
    chunk = fast.by_columns(text)
    if chunk is None:
        in_stamps = sum(point["timestamp"].endswith("+00:00") for point in points)
        assert put or dropped or 0 < in_stamps < text.count(b'+00:00"')
        return
    by_points = slow.point_by_point(text)
    assert json.loads(b"[" + chunk.text + b"]", parse_int=str, parse_float=str) == json.loads(
        b"[" + by_points.text + b"]", parse_int=str, parse_float=str
    )
    assert (chunk.count, fast.unreadable, fast.label_names) == (by_points.count, slow.unreadable, slow.label_names)


def test_columns_leave_a_label_that_reads_like_an_offset_alone() -> None:
    point = (
        b'{"name":"a","value":1,"timestamp":"2026-03-29T01:00:00+00:00","labels":[{"name":"zone","value":"+00:00"}]}'
    )
    assert PointMapping().by_columns(b"%b,%b" % (point, point)) is None
    chunk = PointMapping().by_columns(b"%b,%b" % (point.replace(b':"+', b':"'), point.replace(b':"+', b':"')))
    assert chunk is not None
    assert chunk.text.count(b':00Z"') == 2


def answer_of(*run_ids: str) -> bytes:
    """Runs of 4000 points each, written as most runtimes do."""
    points = [
        {"name": "Loss", "value": n / 7, "timestamp": "2026-03-29T01:00:00Z", "step": n, "labels": []}
        for n in range(4000)
    ]
    resources = [{"executionId": run_id, "metrics": points} for run_id in run_ids]
    return json.dumps({"resources": resources}, separators=(",", ":")).encode()


def test_points_that_stay_as_they_are_are_in_memory_once() -> None:
    body = answer_of("a")
    metric_resources(body, ["a"])  # so that what is made once is there
    tracemalloc.start()
    resource = metric_resources(body, ["a"])["a"]
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert resource.count == sum(chunk.text.count(b'"step"') for chunk in resource.metrics) == 4000
    assert held < len(body) / 4


def test_one_of_several_runs_does_not_keep_the_others_in_memory() -> None:
    tracemalloc.start()
    kept = metric_resources(answer_of("a", "b", "c"), ["a", "b", "c"])["a"]
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert held < 1.5 * sum(len(chunk.text) for chunk in kept.metrics)
