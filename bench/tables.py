"""Requests of people who compare models: many runs as one table, the best run first, charts as pictures.

Everything is stored, and no representation is cached: each answer is made anew. For comparison, polars does the same
from the same JSON on the same core.
"""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from urllib.parse import quote, urlsplit

from bench import upstream
from bench.asking import get, resident
from bench.results import Results
from bench.world import PYTHON, World, peak_memory, worker_of

_ZONE = "Europe/Berlin"
_BY_LEAST_LOSS = f"/runs?metric=loss:min&sort={quote('metric:loss:min')}"
_CHARTED = "run-10000-1"


@dataclass(frozen=True, slots=True)
class Tables:
    """The amounts: runs of a table, points of each, samples of a row."""

    runs: int = 20
    points: int = 10_000
    samples: int = 10


def measure(tables: Tables, world: World, results: Results) -> None:
    base, master, _ = world.service("tables", world.redis("tables"), workers=1, REPRESENTATION_CACHE_BYTES="0")
    token = world.mint("scenario_metric_viewer", "scenario_job_viewer")
    bearer = {"Authorization": f"Bearer {token}"}
    _charts(tables, base, bearer, results)
    _summaries(tables, base, bearer, results)
    _points(tables, base, bearer, worker_of(master), results)
    if find_spec("polars") is None:
        results.skipped.append("polars: not installed (the extra 'bench')")
    else:
        _polars(tables, world, results)


def _charts(tables: Tables, base: str, bearer: Mapping[str, str], results: Results) -> None:
    """The first picture of a worker starts the process that draws."""
    if find_spec("vl_convert") is None:
        results.skipped.append("pictures of charts: the extra 'charts' is not installed")
        return
    chart = f"{base}/runs/{_CHARTED}/metric-resource/chart?name=loss&format=png"
    get(f"{base}/runs/{_CHARTED}/tags", bearer)  # so that the metrics are stored
    results.times["chart, first png of a worker"] = [_read(chart, bearer).whole]
    results.times["chart, png"] = [_read(f"{chart}&minStep={n}", bearer).whole for n in range(1, 1 + tables.samples)]


def _summaries(tables: Tables, base: str, bearer: Mapping[str, str], results: Results) -> None:
    url = base + _BY_LEAST_LOSS
    get(url, bearer)
    results.times["runs by their least loss"] = [_read(url, bearer).whole for _ in range(tables.samples)]


def _points(tables: Tables, base: str, bearer: Mapping[str, str], worker: int, results: Results) -> None:
    asked = "&".join(f"run={run_id}" for run_id in _large(tables))
    url = f"{base}/points?{asked}&timezone={_ZONE}"
    before = resident(worker)
    peak_memory(worker, reset=True)
    get(f"{url}&format=json&limit=1", bearer)  # so that they are stored, and nothing derived from them is
    formats = ("csv", "ndjson", "json", *(("parquet", "arrow") if find_spec("pyarrow") else ()))
    for form in formats:
        reads = [_read(f"{url}&format={form}", bearer) for _ in range(tables.samples)]
        results.times[f"points, {form}"] = [read.whole for read in reads]
        results.times[f"points, {form}, first byte"] = [read.first for read in reads]
        if form == "csv":
            results.times["points, csv, first byte of the first"] = [reads[0].first]
            results.memory["growth, points read, and csv"] = peak_memory(worker) - before


def _polars(tables: Tables, world: World, results: Results) -> None:
    directory = world.directory / "frames"
    directory.mkdir()
    for number, run_id in enumerate(_large(tables)):
        (directory / f"large-{number}.json").write_bytes(upstream.metrics(run_id))
    for number, run_id in enumerate(upstream.LISTED):
        (directory / f"small-{number}.json").write_bytes(upstream.metrics(run_id))
    pinned = ["taskset", "-c", str(world.server_core)] if world.server_core is not None else []
    done = subprocess.run(
        [*pinned, PYTHON, "-m", "bench.frames", str(directory), str(tables.samples)],
        env={**os.environ, "POLARS_MAX_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
        timeout=600,
    )
    results.times |= json.loads(done.stdout)


def _large(tables: Tables) -> list[str]:
    return [f"run-{tables.points}-90-{number}" for number in range(tables.runs)]


@dataclass(frozen=True, slots=True)
class _Reading:
    """Milliseconds until the body's first byte, and until its last."""

    first: float
    whole: float


def _read(url: str, headers: Mapping[str, str]) -> _Reading:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=120)
    connection.connect()
    buffer = bytearray(1024 * 1024)
    began = time.perf_counter()
    connection.request("GET", f"{parts.path}?{parts.query}", headers=dict(headers))
    answer = connection.getresponse()
    if answer.status != 200:
        raise RuntimeError(f"{url}: {answer.status}")
    answer.read(1)
    first = time.perf_counter()
    while answer.readinto(buffer):
        pass
    whole = time.perf_counter()
    connection.close()
    return _Reading((first - began) * 1000, (whole - began) * 1000)
