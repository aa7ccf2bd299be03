"""What there is to say about traces, without OpenTelemetry, which need not be installed."""

from __future__ import annotations

from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version


class TraceAttribute(StrEnum):
    """Attributes that hold what callers name, run ids in paths and resource groups: spans have those wanted."""

    URL_PATH = "url.path"
    URL_FULL = "url.full"
    RESOURCE_GROUP = "metric_resource.resource_group"


def is_installed() -> bool:
    """Whether the extra ``tracing`` is."""
    try:
        version("opentelemetry-sdk")
        version("opentelemetry-exporter-otlp-proto-http")
    except PackageNotFoundError:
        return False
    return True
