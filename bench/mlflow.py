"""The service in front of MLflow beside MLflow's own server: the same histories from the same store, in turns.

Rates and times are what a client sees. On a busy machine the processor time of an answer says more: what the worker
spends on a warm one, and all of MLflow's processes on one of theirs. What is compared is measured one right after the
other, over a new connection each, and the ratio is the median of those pairs.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench import load, peers
from bench.asking import get, processor_seconds
from bench.expected import Expected
from bench.results import Results
from bench.world import World, worker_of

_OFTEN = 10_000
_AT_ONCE = 4
_PAIRS = 8
"""Cold reads of many keys in a round, each after its yardstick. Each may meet with a collection of MLflow's garbage,
which takes as long as three or four calls, so that many pairs are needed."""


def measure(world: World, results: Results, sizes: list[int], *, rounds: int, seconds: float) -> None:
    """A run for each of ``sizes``, and one of many metrics. Raises ``Skipped`` where MLflow cannot be installed."""
    tracking = peers.mlflow(world, sizes)
    base, master, _ = world.service(
        "in front of MLflow", None, workers=1, RUNTIME_KIND="mlflow", MLFLOW_TRACKING_URI=tracking.base
    )
    worker = worker_of(master)
    bearer = {"Authorization": f"Bearer {world.token}"}
    anew = {**bearer, "Cache-Control": "no-cache"}
    urls = {size: f"{base}/runs/{run_id}/metric-resource" for size, run_id in tracking.runs.items()}
    many = f"{base}/runs/{tracking.many}/metric-resource"
    of_many = [tracking.history(tracking.many, key) for key in peers.KEYS]
    for url in (*map(tracking.history, tracking.runs.values()), *of_many, *urls.values(), many):
        get(url, bearer if url.startswith(base) else {})
    for name, url in {**{f"in front of mlflow {size}": url for size, url in urls.items()}, "20 keys": many}.items():
        Expected(stored=True, zone="UTC").check(name, *get(url, bearer))
        Expected(stored=False, zone="UTC").check(f"{name}, cold", *get(url, anew))
    for number in range(rounds):
        for size, url in urls.items():
            if size > _OFTEN and number:
                continue  # MLflow takes many seconds for each
            before = sum(map(processor_seconds, _family(tracking.process)))
            took = _milliseconds(tracking.history(tracking.runs[size]), {})
            spent = sum(map(processor_seconds, _family(tracking.process))) - before
            results.rates.setdefault(f"mlflow {size}", []).append(1000 / took)
            results.times.setdefault(f"mlflow {size}", []).append(took)
            results.times.setdefault(f"processor, mlflow {size}", []).append(spent * 1000)
            if size <= _OFTEN:
                together = _at_once(tracking.history(tracking.runs[size]))
                results.rates.setdefault(f"mlflow {size}, {_AT_ONCE} at once", []).append(together)
            cold = _milliseconds(url, anew)
            results.times.setdefault(f"in front of mlflow, cold {size}", []).append(cold)
            before = processor_seconds(worker)
            seen = load.apply(
                url, bearer, connections=4 if size >= 100_000 else 16, seconds=seconds, core=world.load_core
            )
            if seen.failed:
                raise RuntimeError(f"in front of mlflow {size}: {seen.failed} requests failed")
            warm = (processor_seconds(worker) - before) / (seen.rate * max(1, round(seconds)))
            results.rates.setdefault(f"in front of mlflow {size}", []).append(seen.rate)
            results.times.setdefault(f"processor, in front of mlflow {size}", []).append(warm * 1000)
        for _ in range(_PAIRS):
            calls = sorted(_milliseconds(url, {}) for url in of_many)
            results.times.setdefault("mlflow, slowest 8 of 20 keys", []).append(sum(calls[-8:]))
            results.times.setdefault("in front of mlflow, cold 20 keys", []).append(_milliseconds(many, anew))


def _at_once(url: str) -> float:
    """Answers a second of several concurrent requests."""
    began = time.perf_counter()
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(lambda url: get(url, {}), [url] * _AT_ONCE))
    return _AT_ONCE / (time.perf_counter() - began)


def _milliseconds(url: str, headers: Mapping[str, str]) -> float:
    began = time.perf_counter()
    get(url, headers)
    return (time.perf_counter() - began) * 1000


def _family(process: int) -> list[int]:
    """A process, its children and theirs (Linux)."""
    found = [process]
    for one in found:
        for task in Path(f"/proc/{one}/task").iterdir():
            found += map(int, (task / "children").read_text().split())
    return found
