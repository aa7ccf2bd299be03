"""The list of 100,000 runs: pages of what is stored, and a cold read beside the bare fetch of the same body."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message

from bench import upstream
from bench.asking import get, resident
from bench.expected import Expected
from bench.results import Results
from bench.world import World, peak_memory, worker_of

_PAGES = {
    "runs, page of 50": "limit=50",
    "runs, page of 50 of a status": "limit=50&status=DEAD",
    "runs, page of 50 found by a search": "limit=50&search=run-07",
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
        took, _, _ = _timed(listed, group)
        results.times.setdefault("runs, bare fetch", []).append(took)
        took, answer, answered = _timed(f"{base}/runs?limit=50", fresh)
        Expected(runs=50, stored=False, zone="UTC").check("runs, cold, page of 50", answer, answered)
        results.times.setdefault("runs, cold, page of 50", []).append(took)
    results.memory["runs, body"] = body / _MEBIBYTE
    results.memory["runs, growth of the worker"] = peak_memory(worker) - before
    for name, query in _PAGES.items():
        url = f"{base}/runs?{query}"
        get(url, headers)
        samples = [_timed(url, headers) for _ in range(lists.samples)]
        for _, answer, answered in samples:
            Expected(runs=50, stored=True, zone="UTC").check(name, answer, answered)
        results.times[name] = [took for took, _, _ in samples]


def _timed(url: str, headers: Mapping[str, str]) -> tuple[float, bytes, Message]:
    """The milliseconds that an answer took, and the answer."""
    began = time.perf_counter()
    body, answered = get(url, headers)
    return (time.perf_counter() - began) * 1000, body, answered
