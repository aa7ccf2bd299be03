"""The measurements, and their order."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from bench import lists, load, many, mlflow, page, peers, tables, tracing
from bench.asking import get, resident, tag
from bench.expected import Expected
from bench.lists import Lists
from bench.many import Many
from bench.results import Results
from bench.tables import Tables
from bench.world import PYTHON, World, peak_memory, worker_of
from service.demo.processes import Processes

_THREADS = 4
_ZONES = ("UTC", "Europe/Berlin", "Asia/Tokyo", "Asia/Kolkata", "America/New_York", "Australia/Lord_Howe", "+05:45")
_BY_TWO = ("service 304", "service 10", "service 1000 gzip", "service 10000", "service 10000 gzip")
_LARGEST_IN_ZONES = 100_000
"""Points; larger representations are not cached, so each would be made anew."""
_BODIES_MIB = 128
"""Bytes of cached representations, by default."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to measure: points of an answer, rounds, seconds of each load, whether peers are asked for, how much of
    tables and lists, turns of each worker with traces and without, how long many runs are read, and how often the
    page is opened."""

    sizes: list[int]
    rounds: int
    seconds: float
    peers: bool
    tables: Tables
    lists: Lists
    turns: int
    many: Many
    page: int

    def with_rounds(self, rounds: int) -> Plan:
        return replace(self, rounds=rounds)


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of request: measured in every round."""

    name: str
    url: str
    headers: Mapping[str, str]
    connections: int = 16
    expected: Expected | None = None


def measure(plan: Plan, processes: Processes, directory: Path) -> Results:
    results = Results()
    if peers.find_wrk(install=plan.peers) is None:
        results.skipped.append("wrk: our own load generator is used, which is slower than what it measures")
    world = World(processes, directory, plan.sizes)
    if world.load_core is None:
        results.skipped.append("one core only: load and servers share it")
    _starting(results)
    redis = world.redis()
    base, master, seconds = world.service("service", redis, workers=1)
    results.times["start to first answer"] = [seconds * 1000]
    rows = _service_rows(plan, world, base)
    _memory_warm(results, worker_of(master), rows)
    rows += _peer_rows(plan, world, base, results)
    _mlflow(plan, world, results)
    two, _, _ = world.service("two workers", redis, workers=2)
    rows += [
        replace(row, name=f"two workers, {row.name}", url=row.url.replace(base, two))
        for row in rows
        if row.name in _BY_TWO
    ]
    _rounds(plan, world, rows, results)
    tracing.measure(world, redis, results, turns=plan.turns)
    _cold_reads(plan, world, redis, results)
    _giants(plan, world, base, worker_of(master), results)
    tables.measure(plan.tables, world, results)
    lists.measure(plan.lists, world, results)
    if plan.page:
        page.measure(plan.page, processes, directory, results)
    many.measure(plan.many, world, results)  # kills processes: nothing can be started after it
    return results


def part_alone(
    part: Literal["cold", "tables", "lists", "mlflow", "many", "page"],
    plan: Plan,
    processes: Processes,
    directory: Path,
) -> Results:
    """Only the cold reads, or the part ``bench.tables``, ``bench.lists``, ``bench.mlflow``, ``bench.many`` or
    ``bench.page``."""
    results = Results()
    if part == "page":
        page.measure(plan.page or 1, processes, directory, results)
        return results
    world = World(processes, directory, plan.sizes if part == "cold" else [])
    if part == "cold":
        redis = world.redis()
        base, master, _ = world.service("service", redis, workers=1)
        _cold_reads(plan, world, redis, results)
        _giants(plan, world, base, worker_of(master), results)
    elif part == "tables":
        tables.measure(plan.tables, world, results)
    elif part == "lists":
        lists.measure(plan.lists, world, results)
    elif part == "many":
        many.measure(plan.many, world, results)
    else:
        _mlflow(replace(plan, peers=True), world, results)
    return results


def _mlflow(plan: Plan, world: World, results: Results) -> None:
    """Before any other load: MLflow takes seconds for an answer, and would disturb the others and be disturbed by
    them."""
    if not plan.peers:
        return
    sizes = [size for size in plan.sizes if 10_000 <= size <= 100_000]
    try:
        mlflow.measure(world, results, sizes, rounds=plan.rounds + 2, seconds=plan.seconds)
    except peers.Skipped as reason:
        results.skipped.append(f"MLflow: {reason}")


def _starting(results: Results) -> None:
    samples = []
    for _ in range(3):
        began = time.perf_counter()
        subprocess.run([PYTHON, "-c", "import service.app"], check=True)
        samples.append((time.perf_counter() - began) * 1000)
    results.times["import of service.app"] = samples


def _service_rows(plan: Plan, world: World, base: str) -> list[Row]:
    bearer = {"Authorization": f"Bearer {world.token}"}
    rows = [Row("gunicorn hello", world.gunicorn("hello", "bench.hello:application", _THREADS), {})]
    smallest = f"{base}/runs/run-{plan.sizes[0]}/metric-resource"
    conditional = {**bearer, "If-None-Match": tag(smallest, bearer)}
    rows.append(Row("service 304", smallest, conditional, expected=Expected(unchanged=True, stored=True)))
    for size in plan.sizes:
        url = f"{base}/runs/run-{size}/metric-resource"
        connections = 4 if size >= 100_000 else 16
        due = Expected(size, stored=True, zone="UTC")
        rows.append(Row(f"service {size}", url, bearer, connections, expected=due))
        packed = {**bearer, "Accept-Encoding": "gzip"}
        rows.append(Row(f"service {size} gzip", url, packed, connections, expected=replace(due, coding="gzip")))
    return rows


def _peer_rows(plan: Plan, world: World, base: str, results: Results) -> list[Row]:
    rows = [
        Row(
            "naive 10",
            f"{world.gunicorn('naive', 'bench.naive:application', _THREADS)}/runs/run-10/metric-resource",
            {},
            expected=Expected(10),
        )
    ]
    if not plan.peers:
        return rows
    rows += [
        replace(rows[0], name=f"naive {n}", url=rows[0].url.replace("run-10/", f"run-{n}/"), expected=Expected(n))
        for n in (1000, 10_000)
    ]
    _save_answers(plan, world, base)
    try:
        for name, tuning in (("nginx", ""), ("nginx tuned", peers.TUNING)):
            url = peers.nginx(world, name.replace(" ", "-"), tuning)
            for size in plan.sizes:
                connections = 4 if size >= 100_000 else 16
                due = Expected(size, zone="UTC")
                rows.append(Row(f"{name} {size}", f"{url}/{size}.json", {}, connections, expected=due))
                if not tuning:
                    packed = replace(due, coding="gzip")
                    rows.append(Row(f"{name} {size} gzip", f"{url}/{size}.gz", {}, connections, expected=packed))
    except peers.Skipped as reason:
        results.skipped.append(f"nginx: {reason}")
    return rows


def _save_answers(plan: Plan, world: World, base: str) -> None:
    """Save the service's bodies for the peers, so that all send the same bytes."""
    for size in plan.sizes:
        url = f"{base}/runs/run-{size}/metric-resource"
        bearer = {"Authorization": f"Bearer {world.token}"}
        (world.answers / f"{size}.json").write_bytes(get(url, bearer)[0])
        (world.answers / f"{size}.gz").write_bytes(get(url, {**bearer, "Accept-Encoding": "gzip"})[0])


def _memory_warm(results: Results, worker: int, rows: list[Row]) -> None:
    """Memory of a worker after one request of each row, except the million points, without representations and
    cache."""
    results.memory["worker, after its start"] = peak_memory(worker)
    held = 0
    for row in rows:
        if row.name.startswith("service") and "1000000" not in row.name and "304" not in row.name:
            held += len(get(row.url, row.headers)[0])
    held_by_all = resident(worker)
    results.memory["worker, warm"] = held_by_all
    results.memory["worker, warm, beyond bodies"] = held_by_all - min(held / 2**20, _BODIES_MIB)


def _rounds(plan: Plan, world: World, rows: list[Row], results: Results) -> None:
    rows = [row for row in rows if _answers(row, results)]
    for number in range(plan.rounds):
        for row in rows:
            print(f"\rround {number + 1} of {plan.rounds}: {row.name:40}", end="", file=sys.stderr, flush=True)
            seen = load.apply(
                row.url, row.headers, connections=row.connections, seconds=plan.seconds, core=world.load_core
            )
            if seen.failed:
                raise RuntimeError(f"{row.name}: {seen.failed} requests failed")
            results.rates.setdefault(row.name, []).append(seen.rate)
            results.times.setdefault(f"{row.name} p50", []).append(seen.p50)
            results.times.setdefault(f"{row.name} p99", []).append(seen.p99)
        _mixed_zones(plan, world, rows, results)
    print(file=sys.stderr)


def _answers(row: Row, results: Results) -> bool:
    """Whether a row can be measured; an unusable peer is reported and left out.

    Raises ``RuntimeError`` where its second answer is not what its name says.
    """
    try:
        body, headers = get(row.url, row.headers)
        if row.expected is not None:
            body, headers = get(row.url, row.headers)
    except OSError as error:
        if row.name.startswith(("service", "two workers")):
            raise
        results.skipped.append(f"{row.name}: {error!r}")
        return False
    if row.expected is not None:
        row.expected.check(row.name, body, headers)
    return True


def _mixed_zones(plan: Plan, world: World, rows: list[Row], results: Results) -> None:
    """Readers of one run in many zones at once: the sum of their rates; of what is too large for that, the time of
    one read in each zone."""
    sizes = {f"service {size}": size for size in plan.sizes}
    for row in (row for row in rows if row.name in sizes):
        zoned = [_in_zone(row, zone) for zone in _ZONES]
        name = f"{row.name}, {len(_ZONES)} zones"
        if sizes[row.name] > _LARGEST_IN_ZONES:
            results.times.setdefault(name, []).extend(map(_read_once, zoned))
            continue
        for one in zoned:
            _answers(one, results)

        def rate(one: Row) -> float:
            seen = load.apply(one.url, one.headers, connections=2, seconds=plan.seconds, core=world.load_core)
            if seen.failed:
                raise RuntimeError(f"{one.name}: {seen.failed} requests failed")
            return seen.rate

        with ThreadPoolExecutor(len(_ZONES)) as pool:
            results.rates.setdefault(name, []).append(sum(pool.map(rate, zoned)))


def _in_zone(row: Row, zone: str) -> Row:
    """The row as a reader in a time zone has it."""
    due = None if row.expected is None else replace(row.expected, zone=zone)
    return replace(row, name=f"{row.name} in {zone}", headers={**row.headers, "Time-Zone": zone}, expected=due)


def _read_once(row: Row) -> float:
    """Milliseconds of one read, which is what its row's name says."""
    began = time.perf_counter()
    body, headers = get(row.url, row.headers)
    took = (time.perf_counter() - began) * 1000
    if row.expected is not None:
        row.expected.check(row.name, body, headers)
    return took


def _cold_reads(plan: Plan, world: World, redis: str | None, results: Results) -> None:
    """By a service without cached representations: those of an unchanged body would be reused, and nothing made."""
    base, _, _ = world.service("cold", redis, workers=1, REPRESENTATION_CACHE_BYTES="0")
    counts = {10: 60, 1000: 60, 10_000: 30, 100_000: 8, 1_000_000: 3}
    for size in plan.sizes:
        half = max(2, counts[size] * min(plan.rounds, 3) // 6)
        for _ in range(2):
            bare = _timed(f"{world.runtime}/v2/lm/metrics?executionIds=run-{size}", half, "requests", world.server_core)
            cold = _timed(f"{base}/runs/run-{size}/metric-resource", half, world.token, world.load_core)
            zoned = _timed(
                f"{base}/runs/run-{size}/metric-resource?timezone=Asia/Tokyo", half, world.token, world.load_core
            )
            for name, samples in (("bare fetch", bare), ("cold", cold), ("cold, in another zone", zoned)):
                results.times.setdefault(f"{name} {size}", []).extend(samples)


def _timed(url: str, count: int, how: str, core: int | None) -> list[float]:
    pinned = ["taskset", "-c", str(core)] if core is not None else []
    command = [*pinned, PYTHON, "-m", "bench.cold", url, str(count), how]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=600)
    return [seconds * 1000 for seconds in json.loads(done.stdout)]


def _giants(plan: Plan, world: World, base: str, worker: int, results: Results) -> None:
    """Cold reads of a million points: their memory, and the latency of others on the same worker."""
    if 1_000_000 not in plan.sizes:
        return
    bearer = {"Authorization": f"Bearer {world.token}"}
    body = len(get(f"{world.runtime}/v2/lm/metrics?executionIds=run-1000000", {})[0])
    before = resident(worker)
    peak_memory(worker, reset=True)
    get(f"{base}/runs/run-1000000/metric-resource", {**bearer, "Cache-Control": "no-cache"})
    results.memory["upstream body 1M"] = body / 2**20
    results.memory["growth, cold 1M"] = peak_memory(worker) - before
    ended = threading.Event()

    def read_giants() -> None:
        while not ended.is_set():
            get(f"{base}/runs/run-1000000/metric-resource", {**bearer, "Cache-Control": "no-cache"})

    reader = threading.Thread(target=read_giants)
    reader.start()
    seen = load.apply(f"{base}/runs/run-10/metric-resource", bearer, connections=4, seconds=10, core=world.load_core)
    ended.set()
    reader.join()
    results.times["service 10 p50 beside cold 1M"] = [seen.p50]
    results.times["service 10 p99 beside cold 1M"] = [seen.p99]
