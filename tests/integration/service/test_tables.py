"""Tables: what a spreadsheet or a data frame reads of series, runs and comparisons."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.integration.service.conftest import RUN, Service
from tests.rows import each_row
from tests.servers.scripted_runtime import META

TABLES = Path(__file__).parents[3] / "docs" / "tables.md"
SERIES = f"{RUN}/series"
MARK = "\ufeff".encode()


def point(name: str, value: Any, step: int | None, **labels: str) -> dict[str, Any]:
    return {
        "name": name,
        "value": value,
        "timestamp": f"2026-03-29T01:00:{(step or 0) % 60:02d}.10Z",
        "step": step,
        "labels": [{"name": name, "value": value} for name, value in labels.items()],
    }


METRICS = {
    "run1": [*(point("loss", step % 7, step, part="=a") for step in range(20)), point("=f1", "NaN", None)],
    "run2": [point("loss", 9007199254740993, 3, part="=a")],
}


@pytest.fixture
def service(service: Service) -> Service:
    runtime, answer = service.runtime, service.runtime.answer

    def scripted(path: str, headers: Any = None) -> tuple[int, bytes, float]:
        status, body, wait = answer(path, headers)
        if path.startswith("/v2/lm/metrics"):
            runs = path.split("executionIds=")[1].split("&", maxsplit=1)[0].replace("%2C", ",").split(",")
            found = [{"executionId": run, "metrics": METRICS[run]} for run in runs if run in METRICS]
            return status, json.dumps({"count": len(found), "resources": found}).encode(), wait
        if path.startswith("/v2/lm/executions/gone"):
            return 404, b"{}", wait
        return status, body, wait

    runtime.answer = scripted  # type: ignore[method-assign]
    runtime.say("meta", 200, META)
    service.token = service.issuer.mint(roles=["scenario_metric_viewer", "scenario_job_viewer"])
    return service


def table(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode(), newline=""), strict=True))


@pytest.mark.parametrize("points", ["", "points=5&"])
def test_series_are_a_row_or_a_line_a_point(service: Service, points: str) -> None:
    asked = f"{SERIES}?{points}timezone=Europe/Berlin"
    series = json.loads(service.get(asked).data, parse_int=str)["series"]
    given = [
        (one["name"], str(point["value"]), point["timestamp"], point["step"], one["labels"])
        for one in series
        for point in one["points"]
    ]
    answer = service.get(f"{asked}&format=csv")
    header, *rows = table(answer.data)
    assert header == ["name", "value", "timestamp", "step", "part"]
    assert answer.headers["Content-Disposition"] == 'attachment; filename="run1-series.csv"'
    assert rows == [
        [name.replace("=", "'="), value, at, step or "", "'=a" if labels else ""]
        for name, value, at, step, labels in given
    ]
    lines = [json.loads(line, parse_int=str) for line in service.get(f"{asked}&format=ndjson").data.splitlines()]
    assert lines == [
        {"name": name, "labels": labels, "step": step, "timestamp": at, "value": value}
        for name, value, at, step, labels in given
    ]
    assert len(rows) == (5 if points else 21)


def executions(service: Service, count: int) -> None:
    found = [
        {
            "id": f"run{number}",
            "configurationId": "conf",
            "configurationName": "=cmd()" if number else None,
            "status": "COMPLETED",
            "createdAt": f"2026-03-29T01:00:0{number}Z",
            "startTime": "2026-03-29T01:00:00.10Z",
            "completionTime": "2026-03-29T01:00:01Z",
        }
        for number in range(count)
    ]
    service.runtime.say("executions", 200, {"count": count, "resources": found})


@pytest.mark.parametrize("count", [0, 3])
def test_runs_have_a_column_for_each_member(service: Service, count: int) -> None:
    executions(service, count)
    runs = json.loads(service.get("/runs?timezone=Asia/Tokyo").data, parse_float=str)["runs"]
    answer = service.get("/runs?timezone=Asia/Tokyo&format=csv")
    header, *rows = table(answer.data)
    assert header[:3] == ["runId", "status", "targetStatus"]
    assert rows == [[("'=cmd()" if one[name] == "=cmd()" else one[name] or "") for name in header] for one in runs]
    assert (len(rows), answer.headers["X-Total-Count"]) == (count, str(count))
    assert service.get("/runs?timezone=Asia/Tokyo&format=csv-excel").data == MARK + answer.data
    lines = service.get("/runs?timezone=Asia/Tokyo&format=ndjson").data.splitlines()
    assert [json.loads(line, parse_float=str) for line in lines] == runs


def test_a_page_of_runs_is_a_table_too(service: Service) -> None:
    executions(service, 3)
    answer = service.get("/runs?limit=2&format=csv")
    assert (len(table(answer.data)), answer.headers["X-Total-Count"]) == (3, "3")
    following = answer.headers["Link"].split(">")[0].strip("<")
    assert [row[0] for row in table(service.get(f"/runs{following}").data)] == ["runId", "run0"]


def test_compared_runs_stand_in_columns(service: Service) -> None:
    answer = service.get("/comparisons?run=run1&run=gone&run=run2&baseline=run1&format=csv")
    header, *rows = table(answer.data)
    assert header == ["section", "name", "labels", "aggregate", "run1", "run2", "gone"]
    by_head = {tuple(row[:4]): row[4:] for row in rows}
    assert len(by_head) == len(rows)
    assert by_head["run", "status", "", ""] == ["RUNNING", "RUNNING", ""]
    assert by_head["run", "problem", "", ""] == ["", "", "There is no such run"]
    loss = ("metric", "loss", "part==a")
    assert {aggregate: by_head[*loss, aggregate] for aggregate in ("count", "first", "last", "min", "max", "mean")} == {
        "count": ["20", "1", ""],
        "first": ["0", "9007199254740993", ""],
        "last": ["5", "9007199254740993", ""],
        "min": ["0", "9007199254740993", ""],
        "max": ["6", "9007199254740993", ""],
        "mean": ["2.85", "9007199254740993", ""],
    }
    assert by_head[*loss, "difference"] == ["0", "9007199254740988", ""]
    assert by_head["metric", "'=f1", "", "last"] == ["NaN", "", ""]
    assert (answer.headers["X-Missing-Runs"], answer.headers["Content-Disposition"]) == (
        "gone",
        'attachment; filename="comparison.csv"',
    )
    assert (
        service.get("/comparisons?run=run1&run=gone&run=run2&baseline=run1&format=csv-excel").data == MARK + answer.data
    )


DOCUMENTED = re.findall(r"http://127\.0\.0\.1:8000(/[^\s'\"]+)", TABLES.read_text(encoding="utf-8"))
KINDS = {
    "csv": "text/csv; charset=utf-8; header=present",
    "csv-excel": "text/csv; charset=utf-8; header=present",
    "parquet": "application/vnd.apache.parquet",
}


@each_row("url", DOCUMENTED)
def test_the_documented_urls_answer_with_nothing_but_the_token(service: Service, url: str) -> None:
    token = service.issuer.mint(roles=["scenario_metric_viewer", "scenario_job_viewer"])
    answer = service.get(url, token)
    assert answer.status_code == 200, answer.data
    asked = re.search("format=([a-z-]+)", url)
    assert asked is not None
    assert answer.content_type == KINDS[asked[1]]
    assert answer.data


def test_every_way_that_is_documented_is_tried() -> None:
    assert len(DOCUMENTED) == 7
    assert {url.split("?")[0] for url in DOCUMENTED} == {"/points", "/comparisons"}


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
def test_libreoffice_opens_it_as_it_is(service: Service, tmp_path: Path) -> None:
    """UTF-8 is what LibreOffice proposes for a byte order mark; without its dialog it has to be named."""
    executions(service, 2)
    file = tmp_path / "runs.csv"
    file.write_bytes(service.get("/runs?format=csv-excel").data)
    command = ["soffice", "--headless", f"-env:UserInstallation=file://{tmp_path}/profile"]
    command += ["--infilter=CSV:44,34,UTF8", "--convert-to", "fods"]
    subprocess.run([*command, "--outdir", str(tmp_path), str(file)], check=True, capture_output=True, timeout=120)
    opened = (tmp_path / "runs.fods").read_text(encoding="utf-8")
    assert "<text:p>runId</text:p>" in opened
    assert "=cmd()" in opened
    assert 'office:value="0.9"' in opened
    assert "table:formula" not in opened
