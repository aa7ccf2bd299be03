"""Comparisons of runs that were logged and started with anything."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from service.charts.comparison_chart import Comparison, room_for
from service.charts.panels import ChartType, ValueScale
from service.charts.x_axis import Against, ChartOptions, points_for
from service.domain import points
from service.domain.comparison import Compared
from service.domain.metrics import Chunk
from service.domain.runs import Run, RunDetails
from service.domain.series.builder import series
from service.domain.zones import time_zone


@dataclass(frozen=True)
class LoggedRun:
    """A run's id, the name of its configuration, its parameters and its points."""

    run_id: str
    chunks: list[Chunk]
    configuration: str | None = None
    parameters: Mapping[str, str] | None = None
    start: str | None = None

    def details(self) -> RunDetails:
        run = Run(self.run_id, "COMPLETED", configuration_name=json.dumps(self.configuration).encode())
        run = msgspec.structs.replace(run, start_time=json.dumps(self.start).encode())
        pairs = [{"key": key, "value": value} for key, value in (self.parameters or {}).items()]
        return RunDetails(run, parameters=json.dumps(pairs).encode())


def specification(
    runs: Sequence[LoggedRun],
    metric: str = "loss",
    against: str = "run",
    kind: str | None = None,
    zone: str = "UTC",
    *,
    more: Sequence[str] = (),
    scale: str = "linear",
    smooth: float = 0.0,
) -> bytes:
    asked = None if kind is None else ChartType(kind)
    metrics = [metric, *more]
    drawn = ChartOptions(Against(against), ValueScale(scale), smooth) if against in {*Against} else None

    def compared(run: LoggedRun) -> Compared:
        return Compared(
            run.details(),
            series(run.chunks, points_for(asked), metrics, room_for(against), drawn.projection if drawn else None),
        )

    def names() -> set[str]:
        return {name for run in runs for chunk in run.chunks for name in points.names(chunk)}

    found = [compared(run) for run in runs]
    return Comparison(found, metrics, against, time_zone(zone), names, scale=ValueScale(scale), smooth=smooth).chart(
        asked
    )
