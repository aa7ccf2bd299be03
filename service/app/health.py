"""The state of an application's parts, for ``/readyz``, the metrics and ``metric-resource check``."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

import msgspec

from service.api.http.request_ids import new_traceparent
from service.caching.memory import MemoryCache
from service.caching.protocol import Cache
from service.concurrency.blocking import waiting
from service.concurrency.deadline import Deadline
from service.domain.errors import CacheUnavailable
from service.domain.runtime import CacheScope, RequestContext
from service.reads.capability_reads import RuntimeCondition
from service.reads.queries import Queries
from service.settings import ConnectionSettings, RuntimeAuth, Settings

_STATE_TIMEOUT = 1.0


class Probes(msgspec.Struct, frozen=True):
    """The state of the service's parts: the keys of each issuer, the runtime of each connection, the cache."""

    keys: Callable[[], Mapping[str, bool]]
    runtimes: Callable[[], Mapping[str, RuntimeCondition]]
    cache: Callable[[], Literal["redis", "in-process", "unavailable"]]


def cache_state(cache: Cache) -> Literal["redis", "in-process", "unavailable"]:
    """Where answers are cached, and whether that works."""
    if isinstance(cache, MemoryCache):
        return "in-process"
    try:
        cache.ping()
    except CacheUnavailable:
        return "unavailable"
    return "redis"


def runtime_conditions(settings: Settings, queries: Queries, *, explained: bool = False) -> dict[str, RuntimeCondition]:
    """The condition of each connection's runtime, the default one first; all are probed at once.

    In a second, as platforms wait no longer; those that are to be ``explained`` have the time of other reads.
    """
    named = sorted(settings.named, key=lambda each: not each.default)
    with ThreadPoolExecutor(len(named), thread_name_prefix="states") as pool, waiting():
        found = list(pool.map(lambda each: _runtime_condition(each, queries, explained=explained), named))
    return dict(zip((each.name for each in named), found, strict=True))


def _runtime_condition(connection: ConnectionSettings, queries: Queries, *, explained: bool) -> RuntimeCondition:
    """The condition of a runtime; unknown where only a caller's token has access."""
    if connection.runtime.auth is RuntimeAuth.FORWARD:
        return RuntimeCondition("unknown")
    cache_scope = CacheScope("", connection.runtime.resource_group, connection=connection.name)
    deadline = Deadline.after(connection.runtime.timeout if explained else _STATE_TIMEOUT)
    context = RequestContext(cache_scope, deadline, str(uuid.uuid4()), new_traceparent())
    return queries.capabilities.condition(context, explained=explained)
