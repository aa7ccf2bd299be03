"""Builds the connections of an application: an adapter for each runtime, and its read path."""

from __future__ import annotations

import time
from collections.abc import Callable

from service.api.http.request import Defaults
from service.app.runtime_client import build_runtime
from service.caching.protocol import Cache
from service.caching.store import EntryStore
from service.domain import connections as domain
from service.domain.connections import Connections
from service.domain.runtime import AIRuntime
from service.domain.zones import time_zone
from service.reads.bulkhead import Bulkhead
from service.reads.entries import Connection
from service.reads.leases import Leases
from service.reads.pacing import Pacing
from service.reads.policy import Lifetimes
from service.reads.read_through import ReadThrough
from service.settings import ConnectionSettings, RuntimeAuth, RuntimeSettings, Settings
from service.telemetry.prometheus import Telemetry

_BRIEF = 1.0
"""Seconds after which a fetch counts as slow; a quarter of the runtime's timeout where that is less."""


def build_connections(
    settings: Settings, cache: Cache, store: EntryStore, telemetry: Telemetry, runtime: AIRuntime | None
) -> tuple[dict[str, Connection], list[Callable[[], None]]]:
    """The connections by name, and functions that close them. ``runtime`` replaces the default connection's adapter."""
    leases, pacing = Leases(store), Pacing(cache, settings.cache.min_refresh, time.time)
    connections: dict[str, Connection] = {}
    closing: list[Callable[[], None]] = [leases.close]
    for named in settings.named:
        of_it = telemetry.of_connection(named.name)
        adapter = runtime if named.default else None
        if adapter is None:
            adapter, close = build_runtime(named.runtime, of_it)
            closing.append(close)
        reads = ReadThrough(
            store,
            leases,
            pacing,
            lifetimes=lifetimes(settings, named),
            bulkhead=_bulkhead(named.runtime, of_it),
            telemetry=of_it,
        )
        connections[named.name] = Connection(adapter, reads)
    return connections, closing


def lifetimes(settings: Settings, connection: ConnectionSettings | None = None) -> Lifetimes:
    """The lifetimes of answers: in general, or of a ``connection``."""
    cache = settings.cache
    running, finished = (None, None) if connection is None else (connection.fresh_running, connection.fresh_finished)
    return Lifetimes(
        fresh_running=cache.fresh_running if running is None else running,
        fresh_finished=cache.fresh_finished if finished is None else finished,
        stale_while_revalidate=cache.stale_while_revalidate,
        stale_if_error=cache.stale_if_error,
        remembered_absence=cache.remember_absence,
        min_refresh=cache.min_refresh,
    )


def defaults(settings: Settings) -> Defaults:
    """The defaults of requests."""
    default, others = _connection(settings, default=True), _connection(settings, default=False)
    return Defaults(time_zone(settings.default_time_zone), Connections(default[0], others))


def _connection(settings: Settings, *, default: bool) -> list[domain.Connection]:
    return [
        domain.Connection(
            named.name,
            named.runtime.kind,
            named.runtime.resource_group,
            named.runtime.timeout,
            named.runtime.auth is RuntimeAuth.FORWARD,
            named.description,
            None if named.tenants is None else frozenset(named.tenants),
        )
        for named in settings.named
        if named.default is default
    ]


def _bulkhead(runtime: RuntimeSettings, telemetry: Telemetry) -> Bulkhead:
    return Bulkhead(runtime.concurrency, fast_seconds=min(_BRIEF, runtime.timeout / 4), telemetry=telemetry)
