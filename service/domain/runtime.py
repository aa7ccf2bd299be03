"""The AI runtime, as the service sees it: a port with one adapter for each kind of runtime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from service.concurrency.deadline import Deadline
from service.concurrency.single_flight import Memo
from service.domain.errors import ServiceError
from service.domain.metrics import MetricResource
from service.domain.runs import RunDetails, RunList


@dataclass(frozen=True, slots=True)
class CacheScope:
    """From where a runtime is read: what is visible, and so what a stored answer belongs to.

    ``caller`` tells callers apart where the caller's own token goes upstream, and is ``None`` where the service's own
    credentials do; ``token`` is that caller's token.
    """

    tenant: str
    resource_group: str
    caller: str | None = None
    token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class RequestContext:
    """One request's budget of time, the ids that follow it upstream, and what was asked there for it already."""

    deadline: Deadline
    request_id: str
    traceparent: str
    asked: Memo = field(default_factory=Memo, compare=False)


class Capabilities(msgspec.Struct, frozen=True, array_like=True):
    """What a runtime can do (AI API ``GET /lm/meta``)."""

    identifier: str | None
    api_version: str | None
    metrics: bool
    metrics_version: str | None = None
    extended_results: bool = False
    multitenant: bool = True


class RunMetrics(msgspec.Struct, frozen=True, array_like=True):
    """A run's metric resource and whether the run may still change, both of one moment."""

    resource: MetricResource
    may_change: bool


class AIRuntime(Protocol):
    """Reads an AI runtime. Every method ends by the context's deadline.

    Raises ``domain.errors``: ``RuntimeTrouble`` where the runtime gave no usable answer, ``RuntimeForbids`` where it
    refuses; never anything else.
    """

    @property
    def identity(self) -> str:
        """What tells this runtime from another in the keys of stored answers."""
        ...

    def run_metrics(
        self, run_ids: Sequence[str], cache_scope: CacheScope, context: RequestContext
    ) -> Mapping[str, RunMetrics | ServiceError]:
        """Each run's metric resource, or what is the matter with that run (``RunNotFound`` among others)."""
        ...

    def runs(self, cache_scope: CacheScope, context: RequestContext) -> RunList:
        """All runs of the cache_scope's resource group, newest first."""
        ...

    def run(self, run_id: str, cache_scope: CacheScope, context: RequestContext) -> RunDetails:
        """One run and what surrounds it, as far as that could be read. Raises ``RunNotFound`` among others."""
        ...

    def capabilities(self, cache_scope: CacheScope, context: RequestContext) -> Capabilities: ...

    def observe(self, capabilities: Capabilities, observed_at: float) -> None:
        """Take note of what the runtime said at ``observed_at`` (epoch seconds), to this process or to another."""
        ...
