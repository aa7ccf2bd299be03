"""Points as CSV and NDJSON, read back by other readers."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from service.api.http.csv_text import text_cell
from service.api.resources.metric_resource import columns_to_csv
from service.api.resources.metric_resource.to_csv import MOST_COLUMNS, PointRows, label_names, rows
from service.api.resources.metric_resource.to_ndjson import lines
from service.domain.metrics import Chunk
from service.domain.timestamps import ZoneClock
from service.domain.zones import time_zone
from tests.rows import each_row
from tests.unit.domain.selection.made import made_runs

UTC = ZoneClock(time_zone("UTC"))
TOKYO = ZoneClock(time_zone("Asia/Tokyo"))
POINT = b'{"name":%b,"value":%b,"timestamp":"2026-03-29T01:00:00.10Z","step":1,"labels":%b}'


def all_rows(chunks: Sequence[Chunk], clock: ZoneClock) -> Iterator[bytes]:
    return rows(chunks, clock, label_names(chunks))


def table(*points: bytes, clock: ZoneClock = UTC) -> list[list[str]]:
    written = b"".join(all_rows([Chunk(b",".join(points), len(points))], clock)).decode()
    return list(csv.reader(io.StringIO(written, newline=""), strict=True))


def logged(cell: str) -> str:
    """What was logged, of a cell that is guarded: as the README says, piece by piece."""
    pieces = re.split(r"([;\t\r\n])", cell)
    return "".join(piece[1:] if piece.startswith("'") and is_formula(piece) else piece for piece in pieces)


def is_formula(piece: str) -> bool:
    """Whether a spreadsheet that takes apostrophes, blanks and quotation marks away would calculate."""
    bare = re.sub('^[\\s"]+|[\\s"]+$', "", piece.lstrip("'"))
    return bare.startswith(tuple("=+-@＝＋－＠")) and not re.fullmatch(
        r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", bare, re.A
    )


def cells(text: str) -> str:
    """A text in one cell, read back."""
    return table(POINT % (json.dumps(text).encode(), b"1", b"[]"))[1][0]


def written_out(text: str) -> str:
    return re.sub("[\ud800-\udfff]", "\ufffd", text)


@given(made_runs())
def test_csv_read_back_has_all_that_was_written(run) -> None:
    points, chunks = run
    written = b"".join(all_rows(chunks, UTC))
    header, *found = csv.reader(io.StringIO(written.decode(), newline=""), strict=True)
    names = list(dict.fromkeys(name for point in points for name, _ in point.labels))
    assert header == [
        "name",
        "value",
        "timestamp",
        "step",
        *("label:step" if name == "step" else name for name in names),
    ]
    for point, row in zip(points, found, strict=True):
        labels = ["; ".join(value for other, value in point.labels if other == name) for name in names]
        plain = [
            literal.strip('"') if literal != "null" else "" for literal in (point.value, point.timestamp, point.step)
        ]
        assert [logged(row[0]), *row[1:4], *map(logged, row[4:])] == [written_out(point.name), *plain, *labels]


@given(made_runs())
def test_each_line_is_a_metric_as_it_was(run) -> None:
    points, chunks = run
    *found, end = b"".join(lines(chunks, UTC)).split(b"\n")
    assert end == b""
    assert [json.loads(line, parse_float=str, parse_int=str) for line in found] == [
        json.loads(point.text, parse_float=str, parse_int=str) for point in points
    ]
    assert not any(b"\r" in line for line in found)


def test_formulas_cannot_run_and_numbers_stay_numbers() -> None:
    formulas = ["=1+1", "+1+1", "-A1", "@SUM(A1)", "＝1", "-5%", "+49 30 1", "-Infinity", "-1e5e", "--1", "- 1"]
    labels = json.dumps([{"name": "=h", "value": "=v"}]).encode()
    found = table(*(POINT % (json.dumps(name).encode(), b"-0.5", labels) for name in formulas))
    assert found[0][4] == "'=h"
    assert [row[0] for row in found[1:]] == ["'" + name for name in formulas]
    assert {(row[1], row[4]) for row in found[1:]} == {("-0.5", "'=v")}


@each_row("number", ["-5", "+1", "-1e-5", ".5", "-.5", "+1.", "-1.5E+10", "0", "-0", "'-5", "a;-5", " -5"])
def test_plain_numbers_are_not_guarded(number: str) -> None:
    assert cells(number) == number


@each_row("between", [";", "\t", "\n", "\r", "\r\n", "; ", ';"', ";a;", "\n'"])
@each_row("formula", ["=1+1", "@A1", "+A1", "-A1"])
def test_no_formula_begins_where_another_separator_would_separate(between: str, formula: str) -> None:
    found = cells(f"a{between}{formula}")
    assert found != f"a{between}{formula}"
    assert not any(is_formula(piece) and not piece.startswith("'") for piece in re.split(r"[;\t\r\n]", found))
    assert logged(found) == f"a{between}{formula}"


@given(st.text(st.sampled_from("=+-@'\" ;\t\r\na1.e＝\u2028"), max_size=12))
def test_what_is_guarded_can_be_distinguished_from_what_was_logged(text: str) -> None:
    assert logged(cells(text)) == text
    assert not any(is_formula(piece) and not piece.startswith("'") for piece in re.split(r"[;\t\r\n]", cells(text)))


def test_formulas_in_several_values_of_a_label_are_guarded_one_by_one() -> None:
    labels = b'[{"name":"l","value":"=1"},{"name":"l","value":"=2"}]'
    assert table(POINT % (b'"a"', b"1", labels))[1][4] == "'=1;' =2"


def named_apart(count: int) -> list[bytes]:
    """Points of which each has a label name of its own."""
    return [POINT % (b'"a"', b"1", b'[{"name":"l%d","value":"v;=%d"}]' % (number, number)) for number in range(count)]


def test_further_label_names_share_a_column_and_nothing_is_lost() -> None:
    points = [*named_apart(MOST_COLUMNS - 2), POINT % (b'"a"', b"1", b'[{"name":"labels","value":"x"}]')]
    points += named_apart(MOST_COLUMNS + 20)[MOST_COLUMNS - 2 :]
    header, *rows = table(*points)
    assert (len(header), header[-1]) == (4 + MOST_COLUMNS + 1, "labels")
    assert header[4 + MOST_COLUMNS - 2] == "label:labels"
    for number, row in enumerate(rows[MOST_COLUMNS:], MOST_COLUMNS - 1):
        assert not any(row[4:-1])
        assert json.loads(row[-1]) == [{"name": f"l{number}", "value": f"v;={number}"}]
        assert ";" not in row[-1]


def test_a_table_grows_with_its_points_not_with_points_times_label_names() -> None:
    sizes = [sum(map(len, all_rows([Chunk(b",".join(named_apart(count)), count)], UTC))) for count in (2000, 4000)]
    assert sizes[1] < 2.1 * sizes[0]


def test_timestamps_are_in_the_callers_zone() -> None:
    point = POINT % (b'"a"', b"1", b"[]")
    assert table(point, clock=TOKYO)[1][2] == "2026-03-29T10:00:00.10+09:00"
    assert b'"2026-03-29T10:00:00.10+09:00"' in b"".join(lines([Chunk(point, 1)], TOKYO))


def test_label_names_that_are_taken_have_columns_of_their_own() -> None:
    labels = b'[{"name":"label:step","value":"a"},{"name":"step","value":"b"},{"name":"step","value":"c"}]'
    header, row = table(POINT % (b'"a"', b"1", labels))
    assert header[4:] == ["label:step", "label:label:step"]
    assert row[4:] == ["a", "b; c"]


def test_no_points_leave_a_header() -> None:
    assert b"".join(all_rows([], UTC)) == b"name,value,timestamp,step\r\n"
    assert b"".join(lines([], UTC)) == b""


ODD = st.text(st.sampled_from('a=]}[{,:"\\ {"name":\n'), max_size=12)


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "name": ODD,
                "value": st.sampled_from([1, -0.5, "NaN", "-Infinity", None]),
                "timestamp": st.sampled_from(["2026-03-29T01:00:13.50Z", "1883-11-18T17:00:00Z", None]),
                "step": st.sampled_from([None, 7]),
                "labels": st.lists(st.fixed_dictionaries({"name": ODD, "value": ODD}), max_size=2),
            }
        ),
        min_size=1,
        max_size=4,
    ),
    st.sampled_from([UTC, TOKYO, ZoneClock(time_zone("America/New_York"))]),
)
def test_what_is_written_at_once_is_what_is_written_one_by_one(points, clock: ZoneClock) -> None:
    text = ",".join(json.dumps(point, separators=(",", ":")) for point in points).encode()
    chunk = Chunk(text, len(points))
    columns = label_names([chunk])
    compact = PointRows(columns, clock, ("runId",)).of(chunk, b"run1,")
    spaced = Chunk(text.replace(b'"name":', b'"name" :', 1), len(points))  # as no runtime writes, so one by one
    assert compact == PointRows(columns, clock, ("runId",)).of(spaced, b"run1,")
    assert PointRows(columns, clock).of(chunk) == PointRows(columns, clock).of(spaced)


SIMPLE = st.sampled_from(["loss", "a.b", "", "x=1", "=1", "-5", "@", "longer_than_the_others"])
ANY = st.sampled_from(["loss", "a.b", "", "x=1", "=1", "-5", "a b", "a;b", "é", "a,b", 'a"b', "longer_than_the_others"])


@st.composite
def alike(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Points as runtimes mostly write them: all with labels of the same names."""
    text = SIMPLE if draw(st.integers(0, 3)) else ANY
    names = draw(st.lists(text, max_size=3, unique=True))
    one = st.fixed_dictionaries(
        {
            "name": text if draw(st.booleans()) else st.just(draw(text)),
            "value": st.sampled_from([1, -0.5, 9007199254740993, None, *["NaN"] * (text is ANY)]),
            "timestamp": st.builds(
                "2026-{}T0{}:{}{}Z".format,
                st.sampled_from(["03-29", "11-01"]),
                st.integers(4, 7),
                st.integers(10, 59),
                st.sampled_from([":00", ":13.50", ":59.123456789"]),
            ),
            "step": st.sampled_from([None, 7, -123456]),
            "labels": st.tuples(*[st.fixed_dictionaries({"name": st.just(name), "value": text}) for name in names]),
        }
    )
    return draw(st.lists(one, min_size=1, max_size=5))


@given(alike(), st.sampled_from([UTC, TOKYO, ZoneClock(time_zone("America/New_York"))]))
def test_what_is_written_by_columns_is_what_is_written_one_by_one(points, clock: ZoneClock) -> None:
    text = ",".join(json.dumps(point, separators=(",", ":"), ensure_ascii=False) for point in points).encode()
    spaced = Chunk(text.replace(b'"name":', b'"name" :', 1), len(points))
    labels = [*label_names([spaced]), "another"]
    columns = {name: number for number, name in enumerate(labels)}
    found = columns_to_csv.rows(
        Chunk(text, len(points)), b"run1,", lambda name: text_cell(json.loads(name)), columns, clock
    )
    assert found in {None, PointRows(labels, clock, ("runId",)).of(spaced, b"run1,")}


@each_row(
    "labels", ["[]", '[{"name":"group","value":"tree-%d"}]', '[{"name":"a","value":"b%d"},{"name":"c","value":""}]']
)
@each_row("clock", [UTC, TOKYO])
def test_points_as_runtimes_mostly_write_them_are_written_by_columns(labels: str, clock: ZoneClock) -> None:
    points = [
        f'{{"name":"Train loss","value":{number}.5,"timestamp":"2026-03-29T01:{number % 60:02}:00.5Z",'
        f'"step":{number},"labels":{labels.replace("%d", str(number))}}}'.encode()
        for number in range(1000)
    ]
    chunk = Chunk(b",".join(points), len(points))
    names = label_names([chunk])
    assert names == label_names([Chunk(points[0], 1)])
    rows = columns_to_csv.rows(
        chunk, b"", lambda _: b'"Train loss"', {name: at for at, name in enumerate(names)}, clock
    )
    assert rows is not None
    assert rows == PointRows(names, clock).of(chunk)
    assert rows == b"".join(PointRows(names, clock).of(Chunk(point, 1)) for point in points)


def test_one_point_that_is_written_another_way_is_read_as_it_is() -> None:
    """A blank, wherever JSON may have one; members in another order."""
    usual = POINT % (b'"loss"', b"1", b'[{"name":"a","value":"b"},{"name":"c","value":"d"}]')
    odd = [usual[:at] + b" " + usual[at:] for at in range(1, len(usual)) if b'"' in usual[at - 1 : at + 1] or at > 60]
    same = [one for one in odd if json.loads(one) == json.loads(usual)]
    assert len(same) > 30
    moved = json.loads(usual)
    moved["value"] = moved.pop("value")
    expected = PointRows(["a", "c"], UTC).of(Chunk(usual, 1)) * 3
    for one in (*same, json.dumps(moved, separators=(",", ":")).encode()):
        for points in ([one, usual, usual], [usual, one, usual], [usual, usual, one]):
            chunk = Chunk(b",".join(points), 3)
            found = columns_to_csv.rows(chunk, b"", lambda name: text_cell(json.loads(name)), {"a": 0, "c": 1}, UTC)
            assert found in {None, expected}, one


def test_one_long_cell_does_not_make_all_others_as_long() -> None:
    points = [POINT % (b'"loss"', b"1", b"[]")] * 999 + [POINT % (b'"%b"' % (b"m" * 10_000), b"1", b"[]")]
    assert columns_to_csv.rows(Chunk(b",".join(points), 1000), b"", lambda _: b"", {}, UTC) is None
