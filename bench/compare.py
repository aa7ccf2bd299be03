"""Compares a run of the benchmark with an earlier one: the change of each row, with a confidence interval."""

from __future__ import annotations

import json
import random
import statistics
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from bench.results import Results, machine

_DRAWS = 2000
_LEAST_SAMPLES = 3


def compared(results: Results, file: Path) -> str:
    """A table of the rows that both runs have; ``file`` is what ``--json`` wrote."""
    earlier = json.loads(file.read_text())
    lines = [f"before: {earlier['machine']}", f"now:    {machine()}", ""]
    lines.append(f"{'now / before, by medians':58} {'before':>10} {'now':>10} {'ratio':>7}  95 % of the draws")
    for unit, now in (("rates", results.rates), ("times", results.times)):
        lines += ["", {"rates": "requests a second", "times": "milliseconds"}[unit], *_rows(earlier[unit], now)]
    return "\n".join(lines)


def _rows(before: Mapping[str, Sequence[float]], now: Mapping[str, Sequence[float]]) -> Iterator[str]:
    for name in (name for name in now if name in before):
        old, new = statistics.median(before[name]), statistics.median(now[name])
        if not old:
            continue
        line = f"{name:58} {old:>10,.2f} {new:>10,.2f} {new / old:>7.2f}"
        bounds = interval(before[name], now[name])
        if bounds is None:
            yield f"{line}  too few samples"
            continue
        low, high = bounds
        yield f"{line}  {low:.2f} to {high:.2f}{'' if low <= 1 <= high else '  changed'}"


def interval(before: Sequence[float], now: Sequence[float]) -> tuple[float, float] | None:
    """Bounds of the ratio of medians, 95 % (percentile bootstrap); ``None`` where there are too few samples."""
    if min(len(before), len(now)) < _LEAST_SAMPLES:
        return None
    draw = random.Random(0)  # the same bounds for the same samples
    ratios = [
        statistics.median(draw.choices(now, k=len(now))) / statistics.median(draw.choices(before, k=len(before)))
        for _ in range(_DRAWS)
    ]
    cuts = statistics.quantiles(ratios, n=40)
    return cuts[0], cuts[-1]
