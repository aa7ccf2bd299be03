"""The composition root: the one place where the service's parts are put together."""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING

from flask import Flask

from service.api.http.large_work import LargeWork
from service.api.http.pagination import Cursors
from service.api.http.representation_cache import ReadyAnswers
from service.api.http.responses import Answers
from service.api.resources.metric_resource.selected_points import SelectedPoints
from service.api.resources.operations import Parts
from service.api.resources.runs.selected_runs import SelectedRuns
from service.app import flask_app
from service.app.authentication import Authentication, build_authentication
from service.app.connections import build_connections, defaults, lifetimes
from service.app.flask_app import Interface
from service.app.health import Probes, cache_state, runtime_conditions
from service.caching.memory import MemoryCache
from service.caching.protocol import Cache
from service.caching.store import EntryStore
from service.charts.rendering import Renderer
from service.domain.runtime import AIRuntime
from service.reads.feeds import Feeds
from service.reads.queries import Queries
from service.settings import PageSettings, Settings, TracingSettings
from service.telemetry import json_logs
from service.telemetry.exposition import exposition
from service.telemetry.prometheus import Telemetry
from service.telemetry.trace_options import is_installed
from service.web.security import SignIn

if TYPE_CHECKING:
    from service.telemetry.tracing import Tracing

_CLOSING = "metric-resource-closing"
_PROBES = "metric-resource-probes"
_AS_STORED = 2
"""The size of an entry at most, as a multiple of the runtime's answer: missing members of points are written out."""
_HEADERS_IN_FRONT = 4 * 1024 * 1024
"""Bytes of entries kept in front of a cache in this process, which needs no second copy: little more than headers."""
_MOST_IN_FRONT = 64 * 1024 * 1024


def create_app(
    settings: Settings,
    *,
    runtime: AIRuntime | None = None,
    cache: Cache | None = None,
    authentication: Authentication | None = None,
    renderer: Renderer | None = None,
    large_work: LargeWork | None = None,
    serves: bool = True,
) -> Flask:
    """Build the application; parts that are not passed are made from the settings.

    Starts background threads, so call it in the process that serves. ``close`` stops them. One that ``serves`` looks at
    its runtimes at once.
    """
    tracing = _tracing(settings.tracing)
    telemetry = Telemetry(tracing)
    json_logs.start_buffering(telemetry.log_line_dropped)
    cache = cache or _cache(settings, telemetry)
    authentication = authentication or build_authentication(settings.auth, telemetry)
    renderer = renderer or Renderer()
    large_work = large_work or LargeWork(telemetry=telemetry)
    store = _store(settings, cache)
    connections, closing = build_connections(settings, cache, store, telemetry, runtime)
    queries = Queries(connections)
    feeds = Feeds(queries, store.changes, settings.server.events_most, telemetry)
    parts = Parts(
        authentication.verifier,
        partial(cache_state, cache),
        partial(runtime_conditions, settings, queries),
        partial(exposition, telemetry),
    )
    app = flask_app.build(
        Interface(
            queries=queries,
            grants=authentication.grants,
            answers=Answers(ReadyAnswers(settings.cache.representation_bytes, large_work), lifetimes(settings)),
            selected_points=SelectedPoints(large_work),
            selected_runs=SelectedRuns(large_work),
            cursors=Cursors(_cursor_secret(settings)),
            defaults=defaults(settings),
            parts=parts,
            telemetry=telemetry,
            renderer=renderer,
            feeds=feeds,
            changes=store.changes,
            comment_seconds=settings.server.events_comment,
            cors_origins=settings.cors_origins,
            sign_in=_sign_in(settings.page),
        )
    )
    app.extensions[_PROBES] = Probes(
        lambda: dict(authentication.verifier.keys_loaded()),
        partial(runtime_conditions, settings, queries, explained=True),
        parts.cache,
    )
    app.extensions[_CLOSING] = (
        feeds.stop,
        queries.close,
        *closing,
        cache.close,
        authentication.verifier.close,
        renderer.close,
        *(() if tracing is None else (tracing.close,)),
        json_logs.stop_buffering,
    )
    authentication.verifier.start()
    if serves:
        threading.Thread(target=parts.runtimes, name="first-look", daemon=True).start()
    return app


def probes(app: Flask) -> Probes:
    """The probes of an application's parts."""
    asked: Probes = app.extensions[_PROBES]
    return asked


def close(app: Flask) -> None:
    """Stop the threads and close the connections of ``create_app``."""
    for step in app.extensions[_CLOSING]:
        step()


def _tracing(settings: TracingSettings) -> Tracing | None:
    """The exporter of traces; imports OpenTelemetry only where it is used."""
    if not settings.wanted or not is_installed():
        return None
    from service.telemetry.tracing import Tracing  # noqa: PLC0415

    return Tracing(settings.attributes)


def _cursor_secret(settings: Settings) -> bytes:
    secret = settings.cache.secret
    return settings.cache.cursor_secret if secret is None else secret.encode()


def _sign_in(page: PageSettings) -> SignIn | None:
    if not page.served:
        return None
    return SignIn(page.sign_in, page.issuer, page.client_id, page.scope, page.sign_out_url)


def _cache(settings: Settings, telemetry: Telemetry) -> Cache:
    """The configured cache; imports the Redis client only where it is used."""
    url = settings.cache.redis_url
    if url is None:
        return MemoryCache(settings.cache.memory_bytes)
    from service.caching.redis.cache import RedisCache  # noqa: PLC0415

    return RedisCache(url, telemetry=telemetry)


def _store(settings: Settings, cache: Cache) -> EntryStore:
    """The store over the cache, kept coherent by announcements of other processes."""
    store = EntryStore(
        cache,
        secret=settings.cache.secret,
        memory_bytes=_in_front(cache),
        largest=_AS_STORED * settings.runtime.max_body_bytes,
    )
    cache.subscribe(store.changes)
    return store


def _in_front(cache: Cache) -> int:
    return _HEADERS_IN_FRONT if isinstance(cache, MemoryCache) else _MOST_IN_FRONT
