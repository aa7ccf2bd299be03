"""Charts of logged points and of recorded runs, read back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from service.charts.panels import ChartType, ValueScale
from service.charts.run_chart import chart, room_for
from service.charts.x_axis import Against, ChartOptions, points_for
from service.domain.metrics import Chunk
from service.domain.series.builder import series
from service.domain.zones import time_zone
from service.sandbox import recorded
from tests.unit.domain.series.logged import chunks

START = "2026-01-01T00:00:00Z"
MEMBERS = ("name", "value", "timestamp", "step", "labels")


def specification(
    made: list[Chunk],
    against: str = "step",
    kind: str = "line",
    zone: str = "UTC",
    *,
    scale: str = "linear",
    smooth: float = 0.0,
    start: str | None = START,
) -> bytes:
    how = ChartOptions(Against(against), ValueScale(scale), smooth)
    shown = series(made, points_for(ChartType(kind)), (), room_for(how.against), how.projection)
    return chart("run-1", shown, how, ChartType(kind), time_zone(zone), start=json.dumps(start).encode())


def drawn(*texts: bytes, against: str = "step", kind: str = "line", zone: str = "UTC", **how: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(specification(chunks(list(texts), 3), against, kind, zone, **how))
    return found


def recording(name: str, *metrics: str) -> list[Chunk]:
    """A recorded run's points of ``metrics``, all where none is named."""
    logged = [point for batch in recorded.batches(name) for point in json.loads(b"[" + batch + b"]")]
    chosen = [point for point in logged if not metrics or point["name"] in metrics]
    return chunks([json.dumps({name: point.get(name) for name in MEMBERS}).encode() for point in chosen], 2000)


def panels(specification: dict[str, Any]) -> list[dict[str, Any]]:
    return list(specification.get("vconcat", [specification]))


def rows(specification: dict[str, Any]) -> list[dict[str, Any]]:
    return [row for panel in panels(specification) for row in panel["data"]["values"]]


def encodings(view: Any, channel: str) -> Iterator[dict[str, Any]]:
    """Every encoding of a channel, in all layers and panels."""
    if isinstance(view, dict):
        if channel in view.get("encoding", {}):
            yield view["encoding"][channel]
        for inner in (*view.get("layer", ()), *view.get("vconcat", ())):
            yield from encodings(inner, channel)
