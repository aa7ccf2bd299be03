"""What traces cost a warm read: the processor time of a worker that sends none, and of one that samples none."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from bench import load
from bench.asking import get
from bench.results import Results
from bench.world import World, worker_of

_CALLER = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"}
_PATH = "/runs/run-10/metric-resource"
_NOWHERE = "http://127.0.0.1:1"


def measure(world: World, redis: str | None, results: Results, *, rounds: int, seconds: float) -> None:
    """Taken in turns, over one connection: on a busy machine processor time still says what a request costs."""
    servers = {
        "no traces": world.service("no traces", redis, workers=1),
        "traces, caller samples none": world.service("traces", redis, workers=1, OTEL_EXPORTER_OTLP_ENDPOINT=_NOWHERE),
    }
    bearer = {"Authorization": f"Bearer {world.token}", **_CALLER}
    for base, *_ in servers.values():
        get(base + _PATH, bearer)
    for _ in range(rounds):
        for name, (base, master, _) in servers.items():
            spent = _per_request(base + _PATH, bearer, worker_of(master), seconds, world)
            results.times.setdefault(f"processor, {name}", []).append(spent)


def _per_request(url: str, headers: Mapping[str, str], worker: int, seconds: float, world: World) -> float:
    before = _processor_seconds(worker)
    seen = load.apply(url, headers, connections=1, seconds=seconds, core=world.load_core)
    return (_processor_seconds(worker) - before) * 1000 / (seen.rate * max(1, round(seconds)))


def _processor_seconds(process: int) -> float:
    """Linux, proc(5): ``utime`` and ``stime``."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
