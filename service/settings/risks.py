"""Warnings about settings that are valid but risky."""

from __future__ import annotations

from collections.abc import Iterator

from service.settings.model import Settings
from service.settings.setting_faults import SettingFault
from service.telemetry.trace_options import is_installed

_FORGEABLE = (
    "is not set: whoever can write to Redis can forge answers of the runtime; set the same "
    "secret of 32 characters or more for all instances on it, such as: openssl rand -hex 32"
)
_INSECURE = "MLFLOW_TRACKING_INSECURE_TLS"
_UNCHECKED = (
    "is true: whoever answers in the server's place gets the service's credentials and says what runs have "
    "logged; name the server's authority instead"
)
_UNTRACED = (
    "is set, and no traces are sent: OpenTelemetry is not installed; install the service with its extra tracing, or "
    "set OTEL_SDK_DISABLED=true"
)


def risks(settings: Settings) -> Iterator[SettingFault]:
    """The warnings, each with the risk and the cure."""
    for named in settings.named:
        if named.runtime.insecure_tls:
            place = f"CONNECTIONS: [{named.name}] insecure_tls" if settings.connections else _INSECURE
            yield SettingFault(place, _UNCHECKED)
    if settings.cache.redis_url is not None and settings.cache.secret is None:
        yield SettingFault("CACHE_SECRET", _FORGEABLE)
    if settings.tracing.wanted and not is_installed():
        name = "OTEL_EXPORTER_OTLP_ENDPOINT" if settings.tracing.endpoint else "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
        yield SettingFault(name, _UNTRACED)
