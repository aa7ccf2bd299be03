"""Runs the cases, each on a service of its own, and prints what the healthy client and the memory say."""

from __future__ import annotations

import json
import statistics
import subprocess
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.abuse.cases import CASES
from bench.abuse.probe import READ
from bench.abuse.stage import Case, Stage
from bench.world import PYTHON, World, peak_memory, worker_of
from service.demo.processes import Processes

_HEAD = "| case | worst /livez (ms) | read p99 (ms) | not answered | peak MiB (before) | seconds | worker |"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one case did: milliseconds, probes that failed of all, MiB of the worker, seconds of the case."""

    name: str
    livez_worst: float
    read_p99: float
    failed: int
    probes: int
    memory_before: float
    memory_peak: float
    seconds: float
    killed: bool

    def line(self) -> str:
        return (
            f"| {self.name} | {self.livez_worst:.0f} | {self.read_p99:.0f} | {self.failed} of {self.probes} "
            f"| {self.memory_peak:.0f} ({self.memory_before:.0f}) | {self.seconds:.0f} "
            f"| {'killed' if self.killed else 'lives'} |"
        )


def run(only: Sequence[str], seconds: float) -> list[Outcome]:
    """Run the cases whose names begin with one of ``only`` (all, where it is empty), printing a line for each."""
    chosen = [case for case in CASES if not only or case.name.startswith(tuple(only))]
    if not chosen:
        raise SystemExit(f"no such case; there are: {', '.join(case.name for case in CASES)}")
    print(_HEAD, "|---|---|---|---|---|---|---|", sep="\n", flush=True)
    outcomes = []
    for case in chosen:
        with (
            tempfile.TemporaryDirectory(prefix="metric-resource-abuse-") as directory,
            Processes(Path(directory)) as processes,
        ):
            outcomes.append(_outcome(case, processes, Path(directory), seconds))
        print(outcomes[-1].line(), flush=True)
    return outcomes


def write(outcomes: Sequence[Outcome], file: Path) -> None:
    file.write_text(json.dumps([asdict(outcome) for outcome in outcomes], indent=1) + "\n")


def _outcome(case: Case, processes: Processes, directory: Path, seconds: float) -> Outcome:
    world = World(processes, directory, [10])
    base, master, _ = world.service("service", None, 1, WEB_THREADS="4", **case.settings)
    stage = Stage(int(base.rpartition(":")[2]), world.token, world.answers, seconds)
    status, body = stage.get(READ)
    if status != 200:
        raise RuntimeError(f"the service is not well: {status} {body[:200]!r}")
    case.prepare(stage)
    worker = worker_of(master)
    before = peak_memory(worker, anew=True)
    probe = subprocess.Popen(
        [PYTHON, "-m", "bench.abuse.probe", str(stage.port), stage.token],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        time.sleep(0.5)
        began = time.perf_counter()
        case.abuse(stage)
        took = time.perf_counter() - began
        peak = before
        with suppress(OSError):  # it is no more
            peak = peak_memory(worker)
        told, _ = probe.communicate(timeout=120)
    finally:
        probe.kill()
        probe.wait()
    seen = json.loads(told)
    (livez, livez_failed), (reads, reads_failed) = seen["/livez"], seen[READ]
    return Outcome(
        name=case.name,
        livez_worst=max(livez),
        read_p99=statistics.quantiles(reads, n=100)[98] if len(reads) > 1 else reads[0],
        failed=livez_failed + reads_failed,
        probes=len(livez) + len(reads),
        memory_before=before,
        memory_peak=peak,
        seconds=took,
        killed=worker_of(master) != worker,
    )


def main(only: Sequence[str], seconds: float, file: Path | None) -> None:
    outcomes = run(only, seconds)
    if file:
        write(outcomes, file)
