"""Metrics in Prometheus' text format: of this process, or of all workers where they share a directory."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.values import ValueClass

from service.telemetry.prometheus import Telemetry


def exposition(telemetry: Telemetry) -> bytes:
    """All metrics. Several workers share them by ``PROMETHEUS_MULTIPROC_DIR``, which ``serve`` sets."""
    if ValueClass.__name__ == "MutexValue":
        return generate_latest(telemetry.registry)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)
