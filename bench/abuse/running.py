"""Runs the cases, each on a service of its own, and prints figures of the healthy client and the worker."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from bench.abuse import control
from bench.abuse.cases import CASES
from bench.abuse.probe import READ
from bench.abuse.stage import Case, Stage
from bench.asking import resident
from bench.world import PYTHON, World, peak_memory, worker_of
from service.demo.processes import Processes

_COLUMNS = (
    "case",
    "worst /livez ms",
    "read p99 ms (nginx)",
    "not answered",
    "peak MiB (before)",
    "CPU s",
    "seconds",
    "answers",
)

_CALM = 0.5
"""Seconds that the healthy client runs alone first."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The figures of one case: milliseconds, probes failed and sent, MiB and CPU seconds of the worker, seconds of the
    case, statuses, median and greatest milliseconds of the answers to its own requests.

    ``control_p99`` is ``read_p99`` beside the same clients of nginx, which serves files: the share of the machine and
    the clients themselves. ``None`` where that was not measured.
    """

    name: str
    livez_worst: float
    read_p99: float
    control_p99: float | None
    failed: int
    probes: int
    memory_before: float
    memory_peak: float
    cpu: float
    seconds: float
    statuses: dict[int, int]
    median: float
    longest: float
    killed: bool

    def line(self) -> str:
        answers = ", ".join(f"{count} x {status or 'none'}" for status, count in self.statuses.items())
        beside_nginx = "" if self.control_p99 is None else f" ({self.control_p99:.0f})"
        notes = ["the worker was killed"] * self.killed + [
            f"{answers}: {self.median:.1f} ms, at most {self.longest:.0f}"
        ] * bool(answers)
        return (
            f"| {self.name} | {self.livez_worst:.0f} | {self.read_p99:.0f}{beside_nginx} "
            f"| {self.failed} of {self.probes} | {self.memory_peak:.0f} ({self.memory_before:.0f}) "
            f"| {self.cpu:.2f} | {self.seconds:.1f} "
            f"| {'; '.join(notes)} |"
        )


def run(only: Sequence[str], seconds: float) -> list[Outcome]:
    """Run the cases whose names begin with one of ``only`` (all, where it is empty), printing a line for each."""
    chosen = [case for case in CASES if not only or case.name.startswith(tuple(only))]
    if not chosen:
        raise SystemExit(f"no such case; there are: {', '.join(case.name for case in CASES)}")
    print(f"| {' | '.join(_COLUMNS)} |", "|---" * len(_COLUMNS) + "|", sep="\n", flush=True)
    outcomes = []
    for case in chosen:
        with (
            tempfile.TemporaryDirectory(prefix="metric-resource-abuse-") as directory,
            Processes(Path(directory), here=True) as processes,
        ):
            outcomes.append(_outcome(case, processes, Path(directory), seconds))
        print(outcomes[-1].line(), flush=True)
    worst = max(outcomes, key=lambda outcome: outcome.livez_worst)
    most = max(outcomes, key=lambda outcome: outcome.memory_peak)
    print(f"worst /livez: {worst.livez_worst:.0f} ms ({worst.name}); ", end="")
    print(f"peak of memory: {most.memory_peak:.0f} MiB ({most.name})", flush=True)
    return outcomes


def _outcome(case: Case, processes: Processes, directory: Path, seconds: float) -> Outcome:
    world = World(processes, directory, [10])
    base, master, _ = world.service("service", world.redis(), 1, WEB_THREADS="4")
    stage = Stage(int(base.rpartition(":")[2]), world.token, world.answers, seconds)
    stage.ask_well(READ)
    case.prepare(stage)
    stage.answered.clear()
    control_p99 = None
    if case.reads is not None and (port := control.serve(world, base, ("/livez", READ, *case.reads))) is not None:
        (reads, _) = _watched(replace(stage, port=port), case.abuse)[READ]
        control_p99 = _p99(reads)
        time.sleep(_CALM)
        stage.answered.clear()
    worker = worker_of(master)
    before = resident(worker)
    peak_memory(worker, reset=True)
    began, cpu_before = time.perf_counter(), _cpu(worker)
    seen = _watched(stage, case.abuse)
    took = time.perf_counter() - began - _CALM
    peak, cpu = before, 0.0
    with suppress(OSError):  # it has ended
        peak, cpu = peak_memory(worker), _cpu(worker) - cpu_before
    (livez, livez_failed), (reads, reads_failed) = seen["/livez"], seen[READ]
    return Outcome(
        name=case.name,
        livez_worst=max(livez),
        read_p99=_p99(reads),
        control_p99=control_p99,
        failed=livez_failed + reads_failed,
        probes=len(livez) + len(reads),
        memory_before=before,
        memory_peak=peak,
        cpu=cpu,
        seconds=took,
        statuses=dict(Counter(status for status, _ in stage.answered)),
        median=1000 * statistics.median([lasted for _, lasted in stage.answered] or [0.0]),
        longest=1000 * max([lasted for _, lasted in stage.answered], default=0.0),
        killed=worker_of(master) != worker,
    )


def _watched(stage: Stage, abuse: Callable[[Stage], None]) -> dict[str, tuple[list[float], int]]:
    """A healthy client's figures beside ``abuse``: for each path the milliseconds, and how many requests failed."""
    probe = subprocess.Popen(
        [PYTHON, "-m", "bench.abuse.probe", str(stage.port), stage.token],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        time.sleep(_CALM)
        abuse(stage)
        written, _ = probe.communicate(timeout=120)
    finally:
        probe.kill()
        probe.wait()
    seen: dict[str, tuple[list[float], int]] = json.loads(written)
    return seen


def _p99(samples: list[float]) -> float:
    return statistics.quantiles(samples, n=100)[98] if len(samples) > 1 else samples[0]


def _cpu(process: int) -> float:
    """CPU seconds of a process so far (Linux)."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
