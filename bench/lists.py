"""The list of 100,000 runs: pages of what is stored, and a cold read beside the bare fetch of the same body."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from bench import upstream
from bench.asking import get, resident
from bench.results import Results
from bench.world import World, peak_memory, worker_of

_PAGES = {
    "runs, page of 50": "limit=50",
    "runs, page of 50 of a status": "limit=50&status=DEAD",
    "runs, page of 50 found by a search": "limit=50&search=run-7",
    "runs, page of 50 since a day": "limit=50&createdSince=2026-01-01T00:00:00Z",
    "runs, page of 50 by duration": "limit=50&sort=durationSeconds",
}
_MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Lists:
    """The number of reads of each kind."""

    samples: int = 10
    cold: int = 3


def measure(lists: Lists, world: World, results: Results) -> None:
    """Each page has another number of runs than the one before, so that no representation is reused."""
    base, master, _ = world.service("lists", world.redis("lists"), workers=1, REPRESENTATION_CACHE_BYTES="0")
    group = {"AI-Resource-Group": upstream.MANY}
    headers = {"Authorization": f"Bearer {world.mint('scenario_job_viewer')}", **group}
    listed = f"{world.runtime}/v2/lm/executions?$top=100000"
    body = len(get(listed, group)[0])
    worker = worker_of(master)
    get(f"{base}/runs?limit=1", {**headers, "AI-Resource-Group": "default"})
    before = resident(worker)
    peak_memory(worker, reset=True)
    fresh = {**headers, "Cache-Control": "no-cache"}
    for _ in range(lists.cold):
        results.times.setdefault("runs, bare fetch", []).append(_milliseconds(listed, group))
        results.times.setdefault("runs, cold, page of 50", []).append(_milliseconds(f"{base}/runs?limit=50", fresh))
    results.memory["runs, body"] = body / _MEBIBYTE
    results.memory["runs, growth of the worker"] = peak_memory(worker) - before
    for name, query in _PAGES.items():
        get(f"{base}/runs?{query}", headers)
        results.times[name] = [_milliseconds(f"{base}/runs?{query}", headers) for _ in range(lists.samples)]


def _milliseconds(url: str, headers: Mapping[str, str]) -> float:
    began = time.perf_counter()
    get(url, headers)
    return (time.perf_counter() - began) * 1000
