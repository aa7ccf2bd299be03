"""An AI runtime in memory, behind the port ``domain.runtime.AIRuntime``."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence

from service.concurrency.deadline import Deadline
from service.domain.errors import LogsNotSupported, RunNotFound, RuntimeTimeout, ServiceError
from service.domain.freshness import RequestCachePolicy
from service.domain.logs import LogLine, LogQuery, RunLog, matcher, run_log
from service.domain.metrics import Chunk, MetricResource
from service.domain.runs import Run, RunDetails
from service.domain.runtime import (
    AIRuntime,
    CacheScope,
    Capabilities,
    RequestContext,
    ResourceGroups,
    RunMetrics,
    RuntimeKind,
)
from service.reads import run_packing
from testing.waiting import PATIENCE

WITH_METRICS = Capabilities("fake", "2.0", True, "1.0.0", logs=True)
WITHOUT_METRICS = Capabilities("fake", "2.0", False)


class FakeRuntime:
    """Holds runs by tenant, resource group and id; an error in a run's place is what reading it gives.

    The contract suite (``tests/contract/test_runtimes.py``) runs on it as on the real adapters.
    """

    def __init__(self, identity: str = "fake") -> None:
        self.kind = RuntimeKind.AI_API
        self.identity = identity
        self.logged: dict[tuple[str, str, str], RunMetrics | ServiceError] = {}
        self.details: dict[tuple[str, str, str], RunDetails] = {}
        self.lines: dict[tuple[str, str, str], list[LogLine] | None] = {}
        """The log of a run, oldest line first; ``None`` where the runtime has none."""
        self.describes: Capabilities | ServiceError | Callable[[], Capabilities] = WITH_METRICS
        self.asked: list[tuple[str, ...]] = []
        self.described = 0
        self._lock = threading.Lock()

    def log(self, run_id: str, metrics: bytes, *, tenant: str = "t", group: str = "g", may_change: bool = True) -> None:
        self.logged[tenant, group, run_id] = RunMetrics(
            MetricResource(run_id, metrics=(Chunk(metrics, 1),)), may_change
        )

    def fail(self, run_id: str, error: ServiceError) -> None:
        self.logged["t", "g", run_id] = error

    def run_metrics(self, run_ids: Sequence[str], context: RequestContext) -> Mapping[str, RunMetrics | ServiceError]:
        with self._lock:
            self.asked.append(tuple(run_ids))
        _in_time(context)
        return {run_id: self.logged.get((*_place(context), run_id), RunNotFound(run_id)) for run_id in run_ids}

    def runs(self, context: RequestContext) -> Iterable[Run]:
        _in_time(context)
        return [details.run for place, details in self.details.items() if place[:2] == _place(context)]

    def run(self, run_id: str, context: RequestContext) -> RunDetails:
        _in_time(context)
        details = self.details.get((*_place(context), run_id))
        if details is None:
            raise RunNotFound(run_id)
        return details

    def logs(self, run_id: str, query: LogQuery, context: RequestContext) -> RunLog:
        run = self.run(run_id, context).run
        lines = self.lines.get((context.cache_scope.tenant, context.cache_scope.resource_group, run_id), [])
        if lines is None:
            raise LogsNotSupported
        ordered = lines[::-1] if query.newest_first else lines
        return run_log(filter(matcher(query), ordered), query, may_change=run.may_change)

    def resource_groups(self, context: RequestContext) -> ResourceGroups:
        _in_time(context)
        groups = {group for tenant, group, _ in self.details if tenant == context.cache_scope.tenant}
        return ResourceGroups(tuple(sorted(groups)))

    def capabilities(self, context: RequestContext) -> Capabilities:
        _in_time(context)
        with self._lock:
            self.described += 1
        if isinstance(self.describes, ServiceError):
            raise self.describes
        return self.describes if isinstance(self.describes, Capabilities) else self.describes()


def _in_time(context: RequestContext) -> None:
    if context.deadline.expired:
        raise RuntimeTimeout


def _place(context: RequestContext) -> tuple[str, str]:
    return context.cache_scope.tenant, context.cache_scope.resource_group


def context(
    cache_scope: CacheScope, cache_policy: RequestCachePolicy | None = None, *, seconds: float = PATIENCE
) -> RequestContext:
    """A request that reads from there."""
    traceparent = "00-" + "1" * 32 + "-" + "2" * 16 + "-00"
    deadline = Deadline(time.monotonic() + seconds)
    return RequestContext(cache_scope, deadline, "a-request", traceparent, cache_policy or RequestCachePolicy())


def listed(runtime: AIRuntime, context: RequestContext) -> list[Run]:
    """The runs of a resource group, in the order of the stored list."""
    stored = run_packing.unpacked(run_packing.packed(runtime.runs(context)))
    return stored.runs(range(stored.count))
