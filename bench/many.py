"""Many runs, zones and users at once, for long: runs of 1000 points, asked for by popularity, of a Redis that evicts.

Each user has a token of their own and a time zone. One worker is measured, then two, and their memory sampled every
second. Then three hosts share a cluster of three Valkey servers, and one of each is killed meanwhile.
"""

from __future__ import annotations

import os
import signal
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import available_timezones

import redis

from bench.asking import processor_seconds, resident
from bench.readers import Asking, Readers
from bench.results import UNEQUAL, Results
from bench.world import CORES, World, workers_of

_POINTS = 1000
_PARTS = 10
"""Of its time, for each of which a row has a sample."""
_MEBIBYTE = 1024 * 1024
_RESPONSES = 32 * _MEBIBYTE
"""What a worker keeps of ready-made responses: by default these would take more memory until the end, and hide what
else does."""
_UNTIL_FULL = 300
"""Seconds after whose half caches are full: growth before that is theirs."""
_ENOUGH_CORES = 4
"""For the load, the runtime with Redis, and two workers."""


@dataclass(frozen=True, slots=True)
class Many:
    """How long each of one and two workers is asked, the hosts for a tenth of it; ``connections`` at once."""

    seconds: float = 600.0
    runs: int = 10_000
    users: int = 200
    zones: int = 50
    connections: int = 16
    redis_mebibytes: int = 256


def measure(many: Many, world: World, results: Results) -> None:
    """One worker, then two, then hosts of which one is killed; nothing is started after that."""
    asking = _asking(many, world)
    for workers in (1, 2):
        _workers(workers, many, world, asking, results)
    if len(CORES) < _ENOUGH_CORES:
        results.skipped.append(f"{UNEQUAL}: {len(CORES)} cores, of which the load takes one; by processor time instead")
    _hosts(many, world, asking, results)


def _asking(many: Many, world: World) -> Asking:
    names = sorted(name for name in available_timezones() if "/" in name and not name.startswith("Etc/"))
    zones = names[:: len(names) // many.zones][: many.zones]
    tokens = [world.mint("scenario_metric_viewer", subject=f"user-{number}") for number in range(many.users)]
    callers = [
        {"Authorization": f"Bearer {token}", "Time-Zone": zones[number % len(zones)], "Accept-Encoding": "gzip"}
        for number, token in enumerate(tokens)
    ]
    return Asking([f"/runs/run-{_POINTS}-10-{number}/metric-resource" for number in range(many.runs)], callers)


def _workers(count: int, many: Many, world: World, asking: Asking, results: Results) -> None:
    name = f"many runs, {'1 worker' if count == 1 else f'{count} workers'}"
    limits = ["--maxmemory", f"{many.redis_mebibytes}mb", "--maxmemory-policy", "allkeys-lru"]
    store = world.redis(name.replace(" ", "-").replace(",", ""), *limits)
    alone, kept = len(CORES) >= _ENOUGH_CORES, {"REPRESENTATION_CACHE_BYTES": str(_RESPONSES)}
    base, master, _ = world.service(name, store, workers=count, on_all_cores=alone, **kept)
    workers = workers_of(master)
    before = sum(map(processor_seconds, workers))
    with Readers([base], asking, many.connections) as readers:
        held = _sampled(workers, many.seconds)
    spent = sum(map(processor_seconds, workers)) - before
    _note(name, readers, many.seconds, results)
    asked = sum(len(one.took) for one in readers.answered)
    results.times[f"{name}, processor, a request"] = [spent * 1000 / asked]
    results.memory[f"{name}, together at the end"] = held[-1][1]
    if many.seconds >= _UNTIL_FULL:
        results.memory[f"{name}, growth a minute, second half"] = 60 * growth(held[len(held) // 2 :])
    if store is not None:
        client = redis.Redis.from_url(store)
        results.memory[f"{name}, Redis"] = client.info("memory")["used_memory"] / _MEBIBYTE
        results.figures[f"{name}, evicted"] = client.info("stats")["evicted_keys"]
        client.close()


def _note(name: str, readers: Readers, seconds: float, results: Results) -> None:
    """What became of requests: rates of ten parts of the time, percentiles of them, and shares."""
    parts: list[list[float]] = [[] for _ in range(_PARTS)]
    for one in readers.answered:
        for took, at in zip(one.took, one.at, strict=True):
            if at < seconds:
                parts[int(at / seconds * _PARTS)].append(took)
    results.rates[name] = [len(part) * _PARTS / seconds for part in parts]
    cuts = [statistics.quantiles(part, n=100) for part in parts if len(part) > 1]
    results.times[f"{name} p50"] = [cut[49] for cut in cuts]
    results.times[f"{name} p99"] = [cut[98] for cut in cuts]
    asked = sum(len(one.took) for one in readers.answered)
    results.figures[f"{name}, hits, of all"] = sum(one.stored for one in readers.answered) / asked
    results.figures[f"{name}, failed"] = sum(one.failed for one in readers.answered)


def _sampled(processes: Sequence[int], seconds: float) -> list[tuple[float, float]]:
    """Each second until the time is over, and the MiB that the processes have resident together."""
    began = time.perf_counter()
    held = []
    while (passed := time.perf_counter() - began) < seconds:
        held.append((passed, sum(map(resident, processes))))
        time.sleep(max(0.0, min(1.0, seconds - passed)))
    return held


def growth(held: Sequence[tuple[float, float]]) -> float:
    """MiB a second, by the line through all samples."""
    if len(held) < 2:
        return 0.0
    return statistics.linear_regression([at for at, _ in held], [mebibytes for _, mebibytes in held]).slope


def _hosts(many: Many, world: World, asking: Asking, results: Results) -> None:
    """Three hosts on a cluster of three: one of the cluster is killed a third into the time, then a host."""
    cluster = world.cluster("many")
    if cluster is None:
        results.skipped.append("3 hosts on a cluster: no Valkey server is installed")
        return
    seconds = many.seconds / _PARTS
    hosts = [world.service(f"host {number}", cluster.url, workers=1) for number in range(3)]
    with Readers([base for base, *_ in hosts], asking, many.connections) as readers:
        for victim in (cluster.processes[0], hosts[0][1]):
            time.sleep(seconds / 3)
            os.killpg(victim, signal.SIGKILL)
        time.sleep(seconds / 3)
    _note("many runs, 3 hosts", readers, seconds, results)
    results.figures["many runs, 3 hosts, asked of another host"] = sum(one.elsewhere for one in readers.answered)
