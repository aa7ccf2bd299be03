"""The results, and how they are printed."""

from __future__ import annotations

import json
import platform
import statistics
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from bench.abuse.running import Outcome

UNEQUAL = "many runs, two workers by one's rate"
"""What is skipped where two workers have no core each."""


@dataclass
class Results:
    """Samples by name: requests a second (``rates``), ms (``times``), MiB (``memory``); ``notes`` on how they were
    measured; skipped rows, with reasons."""

    rates: dict[str, list[float]] = field(default_factory=dict)
    times: dict[str, list[float]] = field(default_factory=dict)
    memory: dict[str, float] = field(default_factory=dict)
    figures: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    abuse: list[Outcome] = field(default_factory=list)

    def rate(self, name: str) -> float | None:
        return statistics.median(self.rates[name]) if name in self.rates else None

    def time(self, name: str) -> float | None:
        return statistics.median(self.times[name]) if name in self.times else None

    def document(self) -> dict[str, Any]:
        """All of it as JSON has it, with the machine and the goals."""
        samples = {"rates": self.rates, "times": self.times, "memory": self.memory, "figures": self.figures}
        document = {"machine": machine(), "notes": self.notes, **samples}
        abuse = [asdict(outcome) for outcome in self.abuse]
        goals = [
            {"goal": goal.text, "measured": goal.value(self), "met": goal.met(self), "reached": goal.reached(self)}
            for goal in GOALS
        ]
        return {**document, "skipped": self.skipped, "goals": goals, "abuse": abuse}

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(self.document(), indent=2) + "\n")

    def table(self) -> str:
        lines = [f"{machine()}", "", f"{'requests a second':44} {'median':>10} {'least':>10} {'most':>10}"]
        lines += [_line(name, samples, ",.1f") for name, samples in self.rates.items()]
        lines += ["", f"{'milliseconds':44} {'median':>10} {'least':>10} {'most':>10}"]
        lines += [_line(name, samples, ",.2f") for name, samples in self.times.items()]
        lines += ["", "MiB"]
        lines += [f"{name:66} {value:>10,.1f}" for name, value in self.memory.items()]
        lines += ["", "counts and shares"] if self.figures else []
        lines += [f"{name:66} {value:>10,.3f}" for name, value in self.figures.items()]
        lines += ["", f"{'goal':66} {'measured':>10}"]
        lines += [_goal_line(goal, self) for goal in GOALS]
        return "\n".join([*lines, *self.notes, *(f"skipped: {reason}" for reason in self.skipped)])


def machine() -> str:
    """The machine, the versions and the day, in one line."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("gunicorn", "flask", "redis", "msgspec"))
    processor = _processor()
    return f"{datetime.now(UTC):%Y-%m-%d}, {processor}, Python {platform.python_version()}, {packages}, {_parser()}"


def _parser() -> str:
    """The parser of requests that gunicorn uses here: the one in C where it is installed (the extra ``fast``)."""
    try:
        return f"HTTP parser in C (gunicorn_h1c {version('gunicorn_h1c')})"
    except PackageNotFoundError:
        return "HTTP parser in Python"


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.machine()
    names = [line.split(":", 1)[1].strip() for line in text.splitlines() if line.startswith("model name")]
    return f"{len(names)} x {names[0]}" if names else platform.machine()


def _line(name: str, samples: list[float], form: str) -> str:
    return f"{name:44} " + " ".join(
        f"{value:>10{form}}" for value in (statistics.median(samples), min(samples), max(samples))
    )


@dataclass(frozen=True, slots=True)
class Goal:
    """A goal: ``value`` is the measured figure, ``None`` where there is none; it should be at least ``least`` or at
    most ``most``."""

    text: str
    value: Callable[[Results], float | None]
    least: float | None = None
    most: float | None = None

    def met(self, results: Results) -> bool | None:
        value = self.value(results)
        if value is None:
            return None
        return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)

    def reached(self, results: Results) -> float | None:
        """What was measured as a share of the goal, from 1 on where it is met; ``None`` where that says nothing."""
        value = self.value(results)
        if value is None or value <= 0:
            return None
        return value / self.least if self.least else self.most / value if self.most else None


def _goal_line(goal: Goal, results: Results) -> str:
    value, met = goal.value(results), goal.met(results)
    verdict = {None: "", True: "met", False: "missed"}[met]
    return f"{goal.text:66} {'-' if value is None else f'{value:.2f}':>10}  {verdict}"


def _rates(over: str, under: str) -> Callable[[Results], float | None]:
    return lambda results: _ratio(results.rate(over), results.rate(under))


def _times(over: str, under: str, scale: float = 1.0) -> Callable[[Results], float | None]:
    def measured(results: Results) -> float | None:
        ratio = _ratio(results.time(over), results.time(under))
        return None if ratio is None else ratio * scale

    return measured


def _paired_times(over: str, under: str) -> Callable[[Results], float | None]:
    """The median of the ratios of samples that were taken one right after the other."""

    def measured(results: Results) -> float | None:
        pairs = zip(results.times.get(over, ()), results.times.get(under, ()), strict=False)
        ratios = [one / other for one, other in pairs if other]
        return statistics.median(ratios) if ratios else None

    return measured


def _growth_beyond_body(results: Results) -> float | None:
    growth, body = results.memory.get("growth, cold 1M"), results.memory.get("upstream body 1M")
    return None if growth is None or body is None else growth - body


def _ratio(over: float | None, under: float | None) -> float | None:
    return None if over is None or not under else over / under


def _spread_by_hello(results: Results) -> float | None:
    service, hello = (_times(f"{name} p99", f"{name} p50")(results) for name in ("service 10", "gunicorn hello"))
    return _ratio(service, hello)


def _two_by_one(results: Results) -> float | None:
    """What two workers answer by what one does: by rates where each has a core, else what one request of one takes of
    a processor by what one of two does."""
    one, two = "many runs, 1 worker", "many runs, 2 workers"
    if any(reason.startswith(UNEQUAL) for reason in results.skipped):
        ratio = _times(f"{one}, processor, a request", f"{two}, processor, a request")(results)
        return None if ratio is None else 2 * ratio
    return _rates(two, one)(results)


def _more_by_traces(how: str) -> Callable[[Results], float | None]:
    """Additional µs, from pairs of successive turns."""

    def measured(results: Results) -> float | None:
        without, sampled = (results.times.get(f"processor, {name}", []) for name in ("no traces", f"traces, {how}"))
        more = [one - other for one, other in zip(sampled, without, strict=True)]
        return statistics.median(more) * 1000 if more else None

    return measured


PAGE_ROWS = "page, first rows of 10,320 points after the answer"


def longest_task(view: str) -> str:
    """The name of the samples of that view of the page."""
    return f"page, longest task, {view} of 10,320 points"


def _longest_task(view: str, how: str) -> Callable[[Results], float | None]:
    return lambda results: results.time(how + longest_task(view))


GOALS = (
    Goal("warm 10 points / gunicorn hello >= 0.70", _rates("service 10", "gunicorn hello"), least=0.7),
    Goal("304 / gunicorn hello >= 0.74", _rates("service 304", "gunicorn hello"), least=0.74),
    Goal("warm 1k gzip / gunicorn hello >= 0.62", _rates("service 1000 gzip", "gunicorn hello"), least=0.62),
    Goal("warm 10k gzip / gunicorn hello >= 0.62", _rates("service 10000 gzip", "gunicorn hello"), least=0.62),
    Goal("warm 10k / tuned nginx >= 0.55", _rates("service 10000", "nginx tuned 10000"), least=0.55),
    Goal("warm 10k gzip / nginx gzip >= 0.22 (0.30)", _rates("service 10000 gzip", "nginx 10000 gzip"), least=0.22),
    Goal("warm 100k / tuned nginx >= 0.95", _rates("service 100000", "nginx tuned 100000"), least=0.95),
    Goal("warm 100k gzip / nginx gzip >= 0.85 (1.0)", _rates("service 100000 gzip", "nginx 100000 gzip"), least=0.85),
    Goal("warm 10k / MLflow >= 600", _rates("service 10000", "mlflow 10000"), least=600),
    Goal("warm 100k / MLflow >= 1200", _rates("service 100000", "mlflow 100000"), least=1200),
    Goal(
        "in front of MLflow, processor, MLflow / warm 10k >= 1000",
        _paired_times("processor, mlflow 10000", "processor, in front of mlflow 10000"),
        least=1000,
    ),
    Goal(
        "in front of MLflow, cold 10k / MLflow <= 1.15",
        _paired_times("in front of mlflow, cold 10000", "mlflow 10000"),
        most=1.15,
    ),
    Goal(
        "in front of MLflow, cold 20 keys / its slowest 8 calls <= 1",
        _paired_times("in front of mlflow, cold 20 keys", "mlflow, slowest 8 of 20 keys"),
        most=1,
    ),
    Goal("cold 10k / bare fetch <= 4 (3)", _times("cold 10000", "bare fetch 10000"), most=4),
    Goal("cold 100k / bare fetch <= 4 (3)", _times("cold 100000", "bare fetch 100000"), most=4),
    Goal("cold 1M / bare fetch <= 3.5 (3)", _times("cold 1000000", "bare fetch 1000000"), most=3.5),
    Goal("cold cost a point, 1M / 10k <= 1.2", _times("cold 1000000", "cold 10000", 0.01), most=1.2),
    Goal(
        "worker RSS warm, MiB beyond the bodies <= 55", lambda r: r.memory.get("worker, warm, beyond bodies"), most=55
    ),
    Goal("growth in a cold 1M read beyond its body, MiB <= 64", _growth_beyond_body, most=64),
    Goal("warm p99 / p50, 16 connections, by that of hello <= 1.2", _spread_by_hello, most=1.2),
    Goal("warm p99 beside cold 1M reads, ms <= 50", lambda r: r.time("service 10 p99 beside cold 1M"), most=50),
    Goal("200 stored runs by their least loss, ms <= 20", lambda r: r.time("runs by their least loss"), most=20),
    Goal(
        "points csv, 20 x 10k / polars from the same JSON <= 1.5",
        _times("points, csv", "polars, points from JSON to csv"),
        most=1.5,
    ),
    Goal("points csv, first byte, ms <= 100", lambda r: r.time("points, csv, first byte of the first"), most=100),
    Goal(
        "growth of the worker by points csv, MiB <= 64", lambda r: r.memory.get("growth, points read, and csv"), most=64
    ),
    Goal("runs, page of 50 of 100,000, ms <= 5", lambda r: r.time("runs, page of 50"), most=5),
    Goal("the same of a status, ms <= 15", lambda r: r.time("runs, page of 50 of a status"), most=15),
    Goal("the same by duration, known, ms <= 15", lambda r: r.time("runs, page of 50 by duration"), most=15),
    Goal("runs, cold 100,000 / bare fetch <= 3", _times("runs, cold, page of 50", "runs, bare fetch"), most=3),
    Goal(
        "growth of the worker by 100,000 cold runs, MiB <= 100",
        lambda r: r.memory.get("runs, growth of the worker"),
        most=100,
    ),
    Goal(
        "many runs, growth of one worker, second half, MiB a minute <= 0.5",
        lambda r: r.memory.get("many runs, 1 worker, growth a minute, second half"),
        most=0.5,
    ),
    Goal("many runs, two workers / one >= 1.8", _two_by_one, least=1.8),
    Goal("many runs, requests failed <= 0", lambda r: r.figures.get("many runs, 1 worker, failed"), most=0),
    Goal(
        "3 hosts on a cluster of 3, one of each killed: requests failed <= 0",
        lambda r: r.figures.get("many runs, 3 hosts, failed"),
        most=0,
    ),
    Goal("chart, first png of a worker, ms <= 1500", lambda r: r.time("chart, first png of a worker"), most=1500),
    Goal("chart, png of 10k points, ms <= 150", lambda r: r.time("chart, png"), most=150),
    *(
        Goal(f"traces, {how}: more processor time a warm read, µs <= 25", _more_by_traces(how), most=25)
        for how in ("caller samples none", "sampler always_off", "sampler ratio 0.0001")
    ),
    Goal("page, first rows of 10,320 points after the answer, ms < 1000", lambda r: r.time(PAGE_ROWS), most=1000),
    *(
        Goal(f"{how}{longest_task(view)}, ms <= 200", _longest_task(view, how), most=200)
        for how, view in (("", "table"), ("processor, ", "table"), ("", "charts"))
    ),
    Goal(
        "first answer after start, s <= 0.35",
        lambda r: (r.time("start to first answer") or 0) / 1000 or None,
        most=0.35,
    ),
    Goal("import of service.app, ms <= 250", lambda r: r.time("import of service.app"), most=250),
)
