"""The composition root: the one place where the service's parts are put together."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Literal

from flask import Flask

from service.api.http.context import new_traceparent
from service.api.http.large_work import LargeWork
from service.api.http.pagination import Cursors
from service.api.http.representation_cache import ReadyAnswers
from service.api.http.request import Defaults
from service.api.http.responses import Answers
from service.api.resources.metric_resource.arrangements import Arrangements
from service.api.resources.operations import Parts
from service.app import flask_app
from service.app.authentication import Authentication, build_authentication
from service.app.flask_app import Interface
from service.app.runtime_client import build_runtime
from service.caching.memory import MemoryCache
from service.caching.protocol import Cache
from service.caching.redis import RedisCache
from service.caching.store import EntryStore
from service.charts.rendering import Renderer
from service.concurrency.blocking import waiting
from service.concurrency.deadline import Deadline
from service.domain import connections as domain
from service.domain.connections import Connections
from service.domain.errors import CacheUnavailable
from service.domain.runtime import AIRuntime, CacheScope, RequestContext
from service.domain.zones import time_zone
from service.reads.bulkhead import Bulkhead
from service.reads.feeds import Feeds
from service.reads.leases import Leases
from service.reads.pacing import Pacing
from service.reads.policy import Lifetimes
from service.reads.queries import Connection, Queries, RuntimeState
from service.reads.read_through import ReadThrough
from service.settings import ConnectionSettings, PageSettings, RuntimeAuth, RuntimeSettings, Settings
from service.telemetry import logs
from service.telemetry.exposition import exposition
from service.telemetry.metrics import Telemetry
from service.web.policy import SignIn

_CLOSING = "metric-resource-closing"
_PROBES = "metric-resource-probes"
_STATE_TIMEOUT = 1.0
_BRIEF = 1.0
"""Seconds after which a fetch counts as slow; a quarter of the runtime's timeout where that is less."""
_AS_STORED = 2
"""How many times as large as the runtime's answer an entry may be: members that points lack are written out."""
_HEADERS_IN_FRONT = 4 * 1024 * 1024
"""Bytes of entries kept in front of a cache that is itself in this process: little more than their headers."""
_MOST_IN_FRONT = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Probes:
    """The state of the service's parts: the keys of each issuer, the runtime of each connection, the cache."""

    keys: Callable[[], Mapping[str, bool]]
    runtimes: Callable[[], Mapping[str, RuntimeState]]
    cache: Callable[[], Literal["redis", "in-process", "unavailable"]]


def create_app(
    settings: Settings,
    *,
    runtime: AIRuntime | None = None,
    cache: Cache | None = None,
    authentication: Authentication | None = None,
    renderer: Renderer | None = None,
    large_work: LargeWork | None = None,
) -> Flask:
    """Put the service together; what is not given is made from the settings.

    Starts background threads, so call it in the process that serves. ``close`` ends them.
    """
    telemetry = Telemetry()
    logs.start_buffering(telemetry.log_line_dropped)
    cache = cache or _cache(settings, telemetry)
    authentication = authentication or build_authentication(settings.auth, telemetry)
    renderer = renderer or Renderer()
    large_work = large_work or LargeWork(telemetry=telemetry)
    store = EntryStore(
        cache,
        secret=settings.cache.secret,
        memory_bytes=_in_front(cache),
        largest=_AS_STORED * settings.runtime.max_body_bytes,
    )
    leases, pacing = Leases(cache), Pacing(cache, settings.cache.min_refresh, time.time)
    closing: list[Callable[[], None]] = []
    connections: dict[str, Connection] = {}
    for named in settings.named:
        of_it = telemetry.of_connection(named.name)
        adapter = runtime if named.default else None
        if adapter is None:
            adapter, close_runtime = build_runtime(named.runtime, of_it)
            closing.append(close_runtime)
        reads = ReadThrough(
            store,
            leases,
            pacing,
            lifetimes=_lifetimes(settings, named),
            bulkhead=_bulkhead(named.runtime, of_it),
            telemetry=of_it,
        )
        connections[named.name] = Connection(adapter, reads)
    queries = Queries(connections)
    feeds = Feeds(queries, partial(_unasked, settings), settings.server.events_most)
    parts = Parts(
        authentication.verifier,
        partial(_cache_state, cache),
        partial(_runtime_states, settings, queries),
        partial(exposition, telemetry),
    )
    app = flask_app.build(
        Interface(
            queries=queries,
            grants=authentication.grants,
            answers=Answers(ReadyAnswers(settings.cache.representation_bytes, large_work), _lifetimes(settings)),
            arrangements=Arrangements(large_work),
            cursors=Cursors(_cursor_secret(settings)),
            defaults=_defaults(settings),
            parts=parts,
            telemetry=telemetry,
            renderer=renderer,
            feeds=feeds,
            cors_origins=settings.cors_origins,
            sign_in=_sign_in(settings.page),
        )
    )
    app.extensions[_PROBES] = Probes(lambda: dict(authentication.verifier.keys_loaded()), parts.runtimes, parts.cache)
    app.extensions[_CLOSING] = (
        feeds.stop,
        queries.close,
        *closing,
        cache.close,
        authentication.verifier.close,
        renderer.close,
        logs.stop_buffering,
    )
    authentication.verifier.start()
    threading.Thread(target=parts.runtimes, name="first-look", daemon=True).start()
    return app


def probes(app: Flask) -> Probes:
    """How to ask for the state of an application's parts."""
    asked: Probes = app.extensions[_PROBES]
    return asked


def close(app: Flask) -> None:
    """End what ``create_app`` began."""
    for step in app.extensions[_CLOSING]:
        step()


def _lifetimes(settings: Settings, connection: ConnectionSettings | None = None) -> Lifetimes:
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


def _cursor_secret(settings: Settings) -> bytes:
    secret = settings.cache.secret
    return settings.cache.cursor_secret if secret is None else secret.encode()


def _bulkhead(runtime: RuntimeSettings, telemetry: Telemetry) -> Bulkhead:
    return Bulkhead(runtime.concurrency, fast_seconds=min(_BRIEF, runtime.timeout / 4), telemetry=telemetry)


def _defaults(settings: Settings) -> Defaults:
    default, others = _connection(settings, default=True), _connection(settings, default=False)
    return Defaults(time_zone(settings.default_time_zone), Connections(default[0], others))


def _connection(settings: Settings, *, default: bool) -> list[domain.Connection]:
    return [
        domain.Connection(
            named.name,
            named.runtime.kind.value,
            named.runtime.resource_group,
            named.runtime.timeout,
            named.runtime.auth is RuntimeAuth.FORWARD,
            named.description,
            None if named.tenants is None else frozenset(named.tenants),
        )
        for named in settings.named
        if named.default is default
    ]


def _unasked(settings: Settings, cache_scope: CacheScope) -> RequestContext:
    """The context of a read that no request asks for."""
    timeout = next(named.runtime.timeout for named in settings.named if named.name == cache_scope.connection)
    return RequestContext(cache_scope, Deadline.after(timeout), str(uuid.uuid4()), new_traceparent())


def _sign_in(page: PageSettings) -> SignIn | None:
    if not page.served:
        return None
    return SignIn(page.sign_in, page.issuer, page.client_id, page.scope, page.sign_out_url)


def _cache(settings: Settings, telemetry: Telemetry) -> Cache:
    url = settings.cache.redis_url
    return MemoryCache(settings.cache.memory_bytes) if url is None else RedisCache(url, telemetry=telemetry)


def _in_front(cache: Cache) -> int:
    return _HEADERS_IN_FRONT if isinstance(cache, MemoryCache) else _MOST_IN_FRONT


def _cache_state(cache: Cache) -> Literal["redis", "in-process", "unavailable"]:
    if isinstance(cache, MemoryCache):
        return "in-process"
    try:
        cache.ping()
    except CacheUnavailable:
        return "unavailable"
    return "redis"


def _runtime_states(settings: Settings, queries: Queries) -> dict[str, RuntimeState]:
    """The state of each connection's runtime, the default one first; all are asked at once."""
    named = sorted(settings.named, key=lambda each: not each.default)
    with ThreadPoolExecutor(len(named), thread_name_prefix="states") as pool, waiting():
        states = list(pool.map(lambda each: _runtime_state(each, queries), named))
    return dict(zip((each.name for each in named), states, strict=True))


def _runtime_state(connection: ConnectionSettings, queries: Queries) -> RuntimeState:
    """Unknown where only a caller's token could tell."""
    if connection.runtime.auth is RuntimeAuth.FORWARD:
        return "unknown"
    cache_scope = CacheScope("", connection.runtime.resource_group, connection=connection.name)
    deadline = Deadline.after(_STATE_TIMEOUT)
    return queries.runtime_state(RequestContext(cache_scope, deadline, str(uuid.uuid4()), new_traceparent()))
