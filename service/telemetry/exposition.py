"""Metrics in Prometheus' text format: of this process, or of all workers where they share a directory."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from service.telemetry import shared_metrics
from service.telemetry.prometheus import Telemetry


def exposition(telemetry: Telemetry) -> bytes:
    """All metrics."""
    if not shared_metrics.is_on():
        return generate_latest(telemetry.registry)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)
