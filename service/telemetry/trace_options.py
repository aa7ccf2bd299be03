"""Options of traces that do not require OpenTelemetry."""

from __future__ import annotations

from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version


class TraceAttribute(StrEnum):
    """Optional attributes of spans that name runs and resource groups."""

    URL_PATH = "url.path"
    URL_FULL = "url.full"
    RESOURCE_GROUP = "metric_resource.resource_group"


def is_installed() -> bool:
    """Whether the extra ``tracing`` is installed."""
    try:
        version("opentelemetry-sdk")
        version("opentelemetry-exporter-otlp-proto-http")
    except PackageNotFoundError:
        return False
    return True
