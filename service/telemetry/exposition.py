"""Metrics in Prometheus' text format: of this process, or of all workers where they share a directory."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from service.telemetry import shared_metrics
from service.telemetry.prometheus import Telemetry


def exposition(telemetry: Telemetry) -> bytes:
    """All metrics."""
    directory = shared_metrics.directory()
    if directory is None:
        return generate_latest(telemetry.registry)
    registry = CollectorRegistry()
    registry.register(_SharedMetrics(directory))
    return generate_latest(registry)


class _SharedMetrics:
    """Collects the files of all workers.

    A worker's file is empty between its creation and its first use, and for good where the worker was killed there.
    prometheus_client 0.26 fails on such a file (its issue 1199), so that none of the metrics could be read.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def collect(self) -> Iterable[Metric]:
        """Each metric, added up over the workers."""
        files = [str(path) for path in self._directory.glob("*.db") if _is_written(path)]
        metrics: Iterable[Metric] = MultiProcessCollector.merge(files)  # type: ignore[no-untyped-call]
        return metrics


def _is_written(path: Path) -> bool:
    try:
        return path.stat().st_size > 0
    except FileNotFoundError:  # of a worker that has ended
        return False
