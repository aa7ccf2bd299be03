"""Points as CSV and NDJSON, read back by other readers."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Sequence

from hypothesis import given

from service.api.metric_csv import label_names, rows
from service.api.metric_lines import lines
from service.domain.metrics import Chunk
from service.domain.timestamps import ZoneClock
from service.domain.zones import time_zone
from tests.unit.selection.made import made_runs

UTC = ZoneClock(time_zone("UTC"))
TOKYO = ZoneClock(time_zone("Asia/Tokyo"))
POINT = b'{"name":%b,"value":%b,"timestamp":"2026-03-29T01:00:00.10Z","step":1,"labels":%b}'


def all_rows(chunks: Sequence[Chunk], clock: ZoneClock) -> Iterator[bytes]:
    return rows(chunks, clock, label_names(chunks))


def table(*points: bytes, clock: ZoneClock = UTC) -> list[list[str]]:
    written = b"".join(all_rows([Chunk(b",".join(points), len(points))], clock)).decode()
    return list(csv.reader(io.StringIO(written, newline=""), strict=True))


def harmless(text: str) -> str:
    written = re.sub("[\ud800-\udfff]", "\ufffd", text)
    return "'" + written if written.startswith(tuple("=+-@\t\r\n")) else written


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
        assert row == [harmless(point.name), *plain, *map(harmless, labels)]


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
    formulas = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1"]
    labels = json.dumps([{"name": "=h", "value": "=v"}]).encode()
    found = table(*(POINT % (json.dumps(name).encode(), b"-0.5", labels) for name in formulas))
    assert found[0][4] == "'=h"
    assert [row[0] for row in found[1:]] == ["'" + name for name in formulas]
    assert {(row[1], row[4]) for row in found[1:]} == {("-0.5", "'=v")}


def test_no_cell_begins_where_a_semicolon_would_separate() -> None:
    written = b"".join(all_rows([Chunk(POINT % (b'"a;=1+1"', b"1", b"[]"), 1)], UTC))
    assert written.split(b"\r\n")[1] == b'"a;=1+1",1,2026-03-29T01:00:00.10Z,1'


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
