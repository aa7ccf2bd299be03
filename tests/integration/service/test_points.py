"""``/points``: many runs in one long table, none of them in memory for longer than it is written."""

from __future__ import annotations

import csv
import io
import json
import sys
import tracemalloc
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.integration.service.conftest import Service, Surroundings
from tests.rows import each_row

AB = "/points?run=a1b2&run=c3d4"
ARROW = "application/vnd.apache.arrow.stream"


def point(step: int | None, value: Any = 0.5, /, **labels: str) -> dict[str, Any]:
    return {
        "name": "loss",
        "value": value,
        "timestamp": f"2026-03-29T00:59:{(step or 0) % 60:02d}.10Z",
        "step": step,
        "labels": [{"name": name, "value": text} for name, text in labels.items()],
    }


class Runs:
    """What the runtime has of each run; ``asked`` has the ids of each metrics request."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.points: dict[str, list[dict[str, Any]]] = {
            "a1b2": [point(1, 1, part="train"), point(2, 0.10, part="=test")],
            "c3d4": [point(3, 7, kind="x"), {**point(4), "name": "f1"}],
        }
        self.asked: list[list[str]] = []
        self.literals: dict[str, str] = {}
        answer = service.runtime.answer

        def scripted(path: str, headers: Any = None) -> tuple[int, bytes, float]:
            parts = urlsplit(path)
            if parts.path.endswith("/lm/metrics"):
                runs = parse_qs(parts.query)["executionIds"][0].split(",")
                self.asked.append(runs)
                found = [{"executionId": run, "metrics": self.points[run]} for run in runs if run in self.points]
                text = json.dumps({"count": len(found), "resources": found})
                for number, literal in self.literals.items():
                    text = text.replace(number, literal)
                return 200, text.encode(), 0.0
            if "/lm/executions/" in parts.path and parts.path.rsplit("/", 1)[1] not in self.points:
                return 404, b"{}", 0.0
            return answer(path, headers)

        service.runtime.answer = scripted  # type: ignore[method-assign]

    def get(self, path: str = AB, **headers: str) -> Any:
        return self.service.get(path, **headers)


@pytest.fixture
def runs(service: Service) -> Runs:
    return Runs(service)


def rows(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode(), newline=""), strict=True))


def test_all_points_of_all_runs_in_the_order_asked_for(runs: Runs) -> None:
    answer = runs.get("/points?run=c3d4&run=a1b2&timezone=Europe/Berlin")
    found = json.loads(answer.data)
    assert list(found["points"][0]) == ["runId", "name", "value", "timestamp", "step", "labels"]
    assert [(one["runId"], one["step"]) for one in found["points"]] == [
        ("c3d4", 3),
        ("c3d4", 4),
        ("a1b2", 1),
        ("a1b2", 2),
    ]
    assert (found["timezone"], found["missing"]) == ("Europe/Berlin", [])
    assert found["points"][0]["timestamp"] == "2026-03-29T01:59:03.10+01:00"
    assert b'"value": 0.1,' in answer.data
    assert "Time-Zone" in answer.headers["Vary"]


@each_row("chosen, steps", [("name=f1", [4]), ("label=part", [1, 2]), ("label=part:train", [1]), ("minStep=2&maxStep=3", [2, 3]), ("search=LO", [1, 2, 3]),
     ("since=2026-03-29T00:59:04Z", [4]), ("name=nothing", [])])  # fmt: skip
@each_row("paged", ["", "&limit=100"])
def test_the_filters_of_the_metric_resource(runs: Runs, chosen: str, steps: list[int], paged: str) -> None:
    found = json.loads(runs.get(f"{AB}&{chosen}{paged}").data)
    assert [one["step"] for one in found["points"]] == steps
    assert found.get("page") == ({"total": len(steps), "next": None} if paged else None)


def test_csv_has_the_run_in_front_and_a_column_for_each_label(runs: Runs) -> None:
    answer = runs.get(f"{AB}&format=csv")
    assert rows(answer.data) == [
        ["runId", "name", "value", "timestamp", "step", "part", "kind"],
        ["a1b2", "loss", "1", "2026-03-29T00:59:01.10Z", "1", "train", ""],
        ["a1b2", "loss", "0.1", "2026-03-29T00:59:02.10Z", "2", "'=test", ""],
        ["c3d4", "loss", "7", "2026-03-29T00:59:03.10Z", "3", "", "x"],
        ["c3d4", "f1", "0.5", "2026-03-29T00:59:04.10Z", "4", "", ""],
    ]
    assert answer.headers["Content-Disposition"] == 'attachment; filename="points.csv"'
    assert runs.get(f"{AB}&format=csv-excel").data == "\ufeff".encode() + answer.data


def test_a_label_called_as_a_column_has_one_of_its_own(runs: Runs) -> None:
    runs.points["a1b2"] = [point(1, 1, runId="x", step="y")]
    for found in (
        rows(runs.get(f"{AB}&format=csv").data)[0],
        pq.read_table(io.BytesIO(runs.get(f"{AB}&format=parquet").data)).column_names,
    ):
        assert found == ["runId", "name", "value", "timestamp", "step", "label:runId", "label:step", "kind"]


def test_ndjson_is_a_line_a_point(runs: Runs) -> None:
    lines = [json.loads(line) for line in runs.get(f"{AB}&format=ndjson").data.splitlines()]
    assert lines == json.loads(runs.get().data)["points"]


@each_row(
    "count, detail",
    [
        (1, "there is no run 'none0' in the resource group 'default' of the connection 'default'"),
        (2, "there are no runs 'none0', 'none1' in "),
        (
            12,
            "there are no runs 'none0', 'none1', 'none2', 'none3', 'none4', 'none5', 'none6', 'none7', 'none8', 'none9', … in ",
        ),
    ],
)
def test_where_there_is_none_of_the_runs_they_are_named(runs: Runs, count: int, detail: str) -> None:
    answer = runs.get("/points?" + "&".join(f"run=none{number}" for number in range(count)))
    assert answer.status_code == 404
    assert json.loads(answer.data)["detail"].startswith(detail)


def test_a_run_that_cannot_be_read_is_named(runs: Runs) -> None:
    asked = "/points?run=a1b2&run=gone&run=c3d4"
    answer = runs.get(asked)
    missing = json.loads(answer.data)["missing"]
    assert [(one["runId"], one["problem"]["type"]) for one in missing] == [
        ("gone", "urn:metric-resource:run-not-found")
    ]
    assert json.loads(runs.get(f"{asked}&format=ndjson").data.splitlines()[-1]) == {"missing": missing}
    for format_ in ("csv", "csv-excel", "ndjson", "parquet", "arrow"):
        assert runs.get(f"{asked}&format={format_}").headers["X-Missing-Runs"] == "gone"
    metadata = pq.read_schema(io.BytesIO(runs.get(f"{asked}&format=parquet").data)).metadata
    assert json.loads(metadata[b"missing"]) == missing
    assert "X-Missing-Runs" not in runs.get(f"{AB}&format=csv").headers
    assert runs.get().headers["ETag"] != answer.headers["ETag"]


@each_row("format_", ["json", "csv", "ndjson", "parquet"])
def test_an_answer_that_lacks_a_run_is_kept_by_nobody(runs: Runs, format_: str) -> None:
    whole = runs.get(f"{AB}&format={format_}").headers
    assert "max-age=60" in whole["Cache-Control"]
    for _ in range(2):
        lacking = runs.get(f"{AB}&run=gone&format={format_}").headers
        assert (lacking["Cache-Control"], lacking["ETag"] != whole["ETag"]) == ("no-store", True)
    assert lacking["Cache-Status"] == "metric-resource; hit; ttl=0"
    page = runs.get(f"{AB}&run=gone&limit=1&format={format_}").headers
    assert page["Cache-Control"] == "no-store"


def test_runs_of_which_none_can_be_read_are_a_problem(runs: Runs) -> None:
    """Of their problems that which may hide a run comes before that a run is absent."""
    assert runs.get("/points?run=gone&run=lost").status_code == 404
    runs.points["odd1"] = [{"value": "of no metric"}]
    assert runs.get("/points?run=gone&run=odd1").status_code == 502


@each_row(
    "query",
    ["", "run=a1b2&run=a1b2", "run=!", "run=a1b2&sort=name", "&".join(f"run=run{number}" for number in range(101))],
)
def test_what_cannot_be_asked(runs: Runs, query: str) -> None:
    answer = runs.get(f"/points?{query}")
    assert answer.status_code == 400
    assert {fault["parameter"] for fault in json.loads(answer.data)["errors"]} == {"sort" if "sort" in query else "run"}


def test_at_most_ten_runs_are_asked_for_at_once_and_none_twice(runs: Runs) -> None:
    runs.points = {f"run{number:03d}": [point(number)] for number in range(100)}
    asked = "/points?" + "&".join(f"run={run}" for run in runs.points)
    for _ in range(2):
        found = json.loads(runs.get(asked).data)["points"]
        assert [one["step"] for one in found] == list(range(100))
    assert sorted(map(len, runs.asked)) == [10] * 10
    assert {run for each in runs.asked for run in each} == {*runs.points}


@each_row("format_", ["json", "csv", "ndjson", "parquet"])
def test_pages_are_the_whole_in_parts(runs: Runs, format_: str) -> None:
    runs.points |= {"e5f6": [], "g7h8": [point(step, step) for step in range(7)]}
    asked = "/points?run=a1b2&run=e5f6&run=g7h8&run=c3d4"
    url: str | None = f"{asked}&format={format_}&limit=3"
    found: list[Any] = []
    while url:
        answer = runs.get(url)
        found += _items(format_, answer.data)
        total = json.loads(answer.data)["page"]["total"] if format_ == "json" else int(answer.headers["X-Total-Count"])
        assert total == 11
        link = answer.headers.get("Link")
        url = f"/points{link.split('>')[0][1:]}" if link else None
    assert found == _items(format_, runs.get(f"{asked}&format={format_}").data)
    assert len(found) == 11


def _items(format_: str, data: bytes) -> list[Any]:
    if format_ == "parquet":
        return pq.read_table(io.BytesIO(data)).to_pylist()
    if format_ == "json":
        return json.loads(data)["points"]
    return rows(data)[1:] if format_ == "csv" else [json.loads(line) for line in data.splitlines()]


def test_pages_are_of_one_snapshot_or_gone(runs: Runs) -> None:
    url = f"{AB}&limit=3"
    first = json.loads(runs.get(url).data)
    following = f"/points{first['page']['next']}"
    runs.points["a1b2"].insert(0, point(0))
    changed = json.loads(runs.get(url, Cache_Control="no-cache").data)
    assert [one["step"] for one in changed["points"]] == [0, 1, 2]
    assert [one["step"] for one in json.loads(runs.get(following).data)["points"]] == [4]
    assert runs.get(following.replace("run=c3d4", "run=e5f6")).status_code == 400
    runs.service.valkey.flush()
    runs.get(url, Cache_Control="no-cache")
    assert runs.get(following).status_code == 410


def test_a_run_that_is_missing_by_now_ends_the_pages(runs: Runs) -> None:
    following = f"/points{json.loads(runs.get(f'{AB}&limit=1').data)['page']['next']}"
    del runs.points["c3d4"]
    runs.get(f"{AB}&limit=1", Cache_Control="no-cache")
    assert runs.get(following).status_code == 410


@each_row("format_, zone", [("parquet", "Europe/Berlin"), ("arrow", "UTC"), ("arrow", "+05:30")])
def test_tables_are_typed(runs: Runs, format_: str, zone: str) -> None:
    answer = runs.get(f"{AB}&format={format_}&timezone={zone.replace('+', '%2B')}")
    table = read(format_, answer.data)
    assert [(field.name, str(field.type)) for field in table.schema] == [
        ("runId", "string"), ("name", "string"), ("value", "double"), ("timestamp", f"timestamp[us, tz={zone}]"),
        ("step", "int64"), ("part", "string"), ("kind", "string"),
    ]  # fmt: skip
    assert table.column("runId").to_pylist() == ["a1b2", "a1b2", "c3d4", "c3d4"]
    assert table.column("value").to_pylist() == [1, 0.1, 7, 0.5]
    assert table.column("part").to_pylist() == ["train", "=test", None, None]
    if zone[0] != "+":
        at = table.column("timestamp")[0].as_py()
        assert at == datetime(2026, 3, 29, 0, 59, 1, 100_000, ZoneInfo("UTC"))


def read(format_: str, data: bytes) -> Any:
    return pq.read_table(io.BytesIO(data)) if format_ == "parquet" else pa.ipc.open_stream(data).read_all()


@each_row("values, type_, given", [
        ([1, -(2**63), 2**63 - 1], "int64", None), ([1, 2**63], "string", ["1", "9223372036854775808"]),
        ([0.1, 3, 1e-300], "double", None), ([0.1, 9007199254740993], "string", ["0.1", "9007199254740993"]),
        ([1, "NaN", "-Infinity"], "double", [1.0, "nan", float("-inf")]), ([2**53 + 1, "NaN"], "string", ["9007199254740993", "NaN"]),
    ])  # fmt: skip
def test_no_value_is_rounded(runs: Runs, values: Sequence[Any], type_: str, given: Any) -> None:
    runs.points["a1b2"] = [point(1, value) for value in values]
    column = read("parquet", runs.get("/points?run=a1b2&format=parquet", Cache_Control="no-cache").data).column("value")
    assert str(column.type) == type_
    assert [("nan" if one != one else one) for one in column.to_pylist()] == (given or list(values))


@each_row("literal, type_", [("0.12345678901234567890", "string"), ("1e400", "string"), ("1e-400", "string"), ("0.10", "double"), ("-0", "double"),
     ("1E5", "double"), ("0.30000000000000004", "double"), ("9" * 5000, "string")])  # fmt: skip
def test_no_literal_is_rounded(runs: Runs, literal: str, type_: str) -> None:
    runs.points["a1b2"] = [point(1, 4711.5)]
    runs.literals["4711.5"] = literal
    column = read("arrow", runs.get("/points?run=a1b2&format=arrow", Cache_Control="no-cache").data).column("value")
    assert str(column.type) == type_
    assert column.to_pylist() == [literal if type_ == "string" else float(literal)]


@each_row("timestamps, type_, given", [
        (["2026-03-29T01:00:13.1234560Z", None], "timestamp[us, tz=Asia/Tokyo]", ["2026-03-29T10:00:13.123456+09:00", None]),
        (["2026-03-29T01:00:13.123456789Z"], "timestamp[ns, tz=Asia/Tokyo]", None),
        (["2026-03-29T01:00:13.1234567891Z"], "string", ["2026-03-29T10:00:13.1234567891+09:00"]),
        (["2026-03-29T01:00:13.123456789Z", "3026-03-29T01:00:13Z"], "string", ["2026-03-29T10:00:13.123456789+09:00", "3026-03-29T10:00:13+09:00"]),
        (["3026-03-29T01:00:13Z"], "timestamp[us, tz=Asia/Tokyo]", ["3026-03-29T10:00:13+09:00"]),
    ])  # fmt: skip
def test_no_timestamp_is_cut(runs: Runs, timestamps: Sequence[str | None], type_: str, given: Any) -> None:
    runs.points["a1b2"] = [{**point(1), "timestamp": one} for one in timestamps]
    answer = runs.get("/points?run=a1b2&format=parquet&timezone=Asia/Tokyo", Cache_Control="no-cache")
    column = read("parquet", answer.data).column("timestamp")
    assert str(column.type) == type_
    if given is None:
        assert column[0].value == 1774746013123456789
    else:
        assert [one.isoformat() if isinstance(one, datetime) else one for one in column.to_pylist()] == given


def test_steps_beyond_64_bits_are_text(runs: Runs) -> None:
    runs.points["a1b2"] = [point(2**64), point(None), point(-1)]
    column = read("parquet", runs.get("/points?run=a1b2&format=parquet", Cache_Control="no-cache").data).column("step")
    assert (str(column.type), column.to_pylist()) == ("string", ["18446744073709551616", None, "-1"])


def test_without_the_extra_tables_are_not_acceptable(
    surroundings: Surroundings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with surroundings.service() as service:
        for asked, accept in ((f"{AB}&format=parquet", "*/*"), (AB, ARROW)):
            answer = service.get(asked, Accept=accept)
            assert answer.status_code == 406
            assert "extra 'table'" in json.loads(answer.data)["detail"]
        assert service.get(f"{AB}&format=csv").status_code == 200


@each_row("format_", ["json", "csv", "ndjson", "parquet", "arrow"])
def test_each_has_a_tag_that_changes_with_the_content(runs: Runs, format_: str) -> None:
    asked = f"{AB}&format={format_}"
    tag = runs.get(asked).headers["ETag"]
    assert runs.get(asked, If_None_Match=tag).status_code == 304
    runs.points["c3d4"].append(point(5))
    assert runs.get(asked, If_None_Match=tag, Cache_Control="no-cache").headers["ETag"] != tag


@pytest.mark.slow
@pytest.mark.parametrize("format_", ["csv", "json", "arrow"])
def test_memory_does_not_grow_with_the_number_of_runs(surroundings: Surroundings, format_: str) -> None:
    points = {f"run{number:03d}": [point(step, step / 7) for step in range(1500)] for number in range(24)}

    with surroundings.service(timeout=30) as service:
        Runs(service).points = points

        def peak(ids: Sequence[str]) -> int:
            url = f"/points?format={format_}&" + "&".join(f"run={run}" for run in ids)
            token = {"Authorization": f"Bearer {service.token}"}
            with service.client.open(url, method="HEAD", headers=token) as stored:
                assert stored.status_code == 200
            tracemalloc.start()
            try:
                answer = service.client.open(url, headers=token, buffered=False)
                assert "Content-Length" not in answer.headers
                assert sum(map(len, answer.iter_encoded())) > 10_000 * len(ids)
                return tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()

        few, many = peak(list(points)[:8]), peak(list(points))
        assert many < 1.5 * few
