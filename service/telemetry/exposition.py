"""Metrics in Prometheus' text format: of this process, or of all workers where they share a directory."""

from __future__ import annotations

import os

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from service.telemetry.prometheus import Telemetry

_METRICS_DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"
"""The metrics library's variable: where it is set, metrics are shared by a directory."""


def exposition(telemetry: Telemetry) -> bytes:
    """All metrics. Several workers share them by ``_METRICS_DIRECTORY``, which ``serve`` sets."""
    if _METRICS_DIRECTORY not in os.environ:
        return generate_latest(telemetry.registry)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)
