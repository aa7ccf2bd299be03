"""The port to AI runtimes, with an adapter for each kind of runtime."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

import msgspec
from msgspec.structs import replace

from service.concurrency.deadline import Deadline
from service.concurrency.single_flight import Memo
from service.domain.errors import ServiceError
from service.domain.freshness import RequestCachePolicy
from service.domain.logs import LogQuery, RunLog
from service.domain.metrics import MetricResource
from service.domain.run_tables import RunTable
from service.domain.runs import Run, RunDetails, RunStatus

DEFAULT_CONNECTION = "default"


@dataclass(frozen=True, slots=True)
class CacheScope:
    """Which runtime is read, and as whom: this decides what is visible there, and who may share a stored answer.

    ``connection`` is the runtime's name in the configuration. ``caller`` distinguishes callers where the caller's own
    token is sent upstream, and is ``None`` where the service's credentials are; ``token`` is that caller's token.
    """

    tenant: str
    resource_group: str
    caller: str | None = None
    token: str | None = field(default=None, repr=False)
    connection: str = DEFAULT_CONNECTION


class RuntimeKind(StrEnum):
    """The API of a runtime."""

    AI_API = "ai_api"
    MLFLOW = "mlflow"


class Capabilities(msgspec.Struct, frozen=True, array_like=True):
    """The capabilities of a runtime.

    ``metrics`` and ``logs``, whether its runs have a metric resource and logs, are ``None`` where it does not say.
    ``multitenant``: whether it isolates resource groups; otherwise all groups see all runs.
    """

    identifier: str | None
    api_version: str | None
    metrics: bool | None
    metrics_version: str | None = None
    extended_results: bool = False
    multitenant: bool = True
    logs: bool | None = None


class RequestContext(msgspec.Struct, frozen=True):
    """What one request passes to every read: its scope, deadline and cache policy.

    ``request_id`` and ``traceparent`` are sent upstream; ``asked`` holds upstream answers that the request already has.
    ``known`` is the runtime's last known capabilities, where they are stored. ``watched``: the runs are watched, so
    they are likely to be running.
    """

    cache_scope: CacheScope
    deadline: Deadline
    request_id: str
    traceparent: str
    cache_policy: RequestCachePolicy = msgspec.field(default_factory=RequestCachePolicy)
    asked: Memo = msgspec.field(default_factory=Memo)
    known: Capabilities | None = None
    watched: bool = False

    def by(self, deadline: Deadline) -> RequestContext:
        """The same request with that deadline."""
        return replace(self, deadline=deadline)

    def no_cache(self) -> RequestContext:
        """The same request, for which only answers fetched from now on count."""
        return self.with_policy(RequestCachePolicy.no_cache())

    def with_policy(self, cache_policy: RequestCachePolicy) -> RequestContext:
        """The same request with that cache policy."""
        return replace(self, cache_policy=cache_policy)


class ResourceGroups(msgspec.Struct, frozen=True, array_like=True):
    """The ids of a runtime's resource groups, in order; not ``complete`` where it does not list all of them."""

    ids: tuple[str, ...]
    complete: bool = True


class RunMetrics(msgspec.Struct, frozen=True, array_like=True):
    """A run's metric resource, its status, and whether either may still change: the metrics may, too, where the run had
    just ended, and what it logged last may not have been there yet."""

    resource: MetricResource
    may_change: bool
    status: str = RunStatus.UNKNOWN


class AIRuntime(Protocol):
    """Reads an AI runtime in ``context.cache_scope``. Every method ends by the context's deadline.

    Raises ``domain.errors``: ``RuntimeTrouble`` where the runtime gave no usable answer, ``RuntimeForbids`` where it
    refuses; never anything else.
    """

    @property
    def kind(self) -> RuntimeKind: ...

    @property
    def identity(self) -> str:
        """What identifies this runtime in the keys of stored answers."""
        ...

    def run_metrics(self, run_ids: Sequence[str], context: RequestContext) -> Mapping[str, RunMetrics | ServiceError]:
        """Each run's metric resource, or its error (``RunNotFound`` among others)."""
        ...

    def runs(self, context: RequestContext) -> Iterable[Run | RunTable]:
        """All runs of the resource group, in any order, each by itself or several in a table.

        The runtime has answered when this returns; its answer is read while iterating over the runs, which may raise
        ``BadGateway``.
        """
        ...

    def run(self, run_id: str, context: RequestContext) -> RunDetails:
        """One run and its related objects, as far as they could be read. Raises ``RunNotFound`` among others."""
        ...

    def logs(self, run_id: str, query: LogQuery, context: RequestContext) -> RunLog:
        """Lines of a run's log. Raises ``RunNotFound`` and ``LogsNotSupported`` among others."""
        ...

    def resource_groups(self, context: RequestContext) -> ResourceGroups:
        """The resource groups of the scope's tenant and caller, whatever the scope's own group."""
        ...

    def capabilities(self, context: RequestContext) -> Capabilities: ...
