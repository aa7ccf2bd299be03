"""AI API ``GET /lm/meta`` → the runtime's capabilities."""

from __future__ import annotations

import msgspec

from service.domain.runtime import Capabilities
from service.runtimes import json_literals


class _MetricsCapabilities(msgspec.Struct, rename="camel"):
    extended_results: bool = False


class _MetricsExtension(msgspec.Struct):
    version: str | None = None
    capabilities: _MetricsCapabilities | None = None


class _Extensions(msgspec.Struct):
    metrics: _MetricsExtension | None = None


class _Logs(msgspec.Struct):
    executions: bool = True


class _AIAPICapabilities(msgspec.Struct):
    multitenant: bool = True
    logs: _Logs | None = None


class _AIAPI(msgspec.Struct):
    version: str | None = None
    capabilities: _AIAPICapabilities | None = None


class _Meta(msgspec.Struct, rename="camel"):
    runtime_identifier: str | None = None
    runtime_api_version: str | None = None
    ai_api: _AIAPI | None = None
    extensions: _Extensions | None = None


def capabilities(body: bytes) -> Capabilities:
    """The capabilities; the metrics extension exists if and only if ``extensions.metrics`` does."""
    meta = json_literals.decode(body, _Meta)
    api = meta.ai_api or _AIAPI()
    can = api.capabilities or _AIAPICapabilities()
    metrics = (meta.extensions or _Extensions()).metrics
    return Capabilities(
        identifier=meta.runtime_identifier,
        api_version=meta.runtime_api_version or api.version,
        metrics=metrics is not None,
        metrics_version=metrics.version if metrics else None,
        extended_results=bool(metrics and metrics.capabilities and metrics.capabilities.extended_results),
        multitenant=can.multitenant,
        logs=(can.logs or _Logs()).executions,
    )


UNDESCRIBED = Capabilities(None, None, metrics=None)
"""The capabilities of a runtime without ``/lm/meta``, which is optional."""
