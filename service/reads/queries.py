"""The questions the service answers, independent of how they are asked."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from service.domain import points
from service.domain.comparison import Compared
from service.domain.errors import BadGateway, RuntimeForbids, RuntimeRefuses, ServiceError
from service.domain.metrics import MetricResource, Unreadable
from service.domain.reading import Provenance, RequestCachePolicy, RequestDirectives, Snapshot, Source
from service.domain.runs import RunDetails, RunList
from service.domain.runtime import CacheScope, Capabilities, RequestContext
from service.domain.series.census import Census
from service.reads.cached_runtime import CachedRuntime, ReadEntry, ReadRun

R = TypeVar("R", ReadRun, ReadEntry[RunList])

RuntimeState = Literal["reachable", "unreachable", "unusable", "unknown"]
_STATE_SECONDS = 10


@dataclass(frozen=True, slots=True)
class ReadComparison:
    """Runs as they were read for a comparison, in the order asked for; ``missing`` are those that could not be."""

    found: dict[str, tuple[ReadEntry[RunDetails], ReadRun]]
    missing: dict[str, ServiceError]

    @property
    def entries(self) -> list[tuple[str, bytes]]:
        """The keys and digests of all that it is made of."""
        return [(each.key, each.digest) for pair in self.found.values() for each in pair]

    @property
    def size(self) -> int:
        """Bytes of all that it is made of, unpacked."""
        return sum(each.size for pair in self.found.values() for each in pair)

    @property
    def provenance(self) -> Provenance:
        """That of the entry that is the first to be stale."""
        return min((each.provenance for pair in self.found.values() for each in pair), key=lambda each: each.ttl)

    def compared(
        self, at_most: int, metrics: Collection[str] = (), room: Callable[[], Census | None] = lambda: None
    ) -> list[Compared]:
        """The runs with their series, of ``metrics`` or of all, of ``at_most`` points each (0: all).

        Raises ``ContentGone``, and what a census raises: ``room`` has one for each run.
        """
        from service.domain.series import progress  # noqa: PLC0415 - brings numpy

        def compared(details: RunDetails, resource: MetricResource) -> Compared:
            series = progress.series(resource.metrics, at_most or None, metrics, room())
            return Compared(details, series, Unreadable(timestamps=details.run.unreadable) + resource.unreadable)

        return [compared(details.content(), resource.resource()) for details, resource in self.found.values()]

    def metric_names(self) -> set[str]:
        """The names of the metrics of all runs. Raises ``ContentGone``."""
        chunks = [chunk for _, resource in self.found.values() for chunk in resource.resource().metrics]
        return {name for chunk in chunks for name in points.names(chunk)}


class Queries:
    """Reads one runtime. Every method ends by the context's deadline and raises only ``ServiceError``s."""

    def __init__(self, runtime: CachedRuntime) -> None:
        self._runtime = runtime

    def metric_resource(
        self,
        run_id: str,
        cache_scope: CacheScope,
        context: RequestContext,
        cache_policy: RequestCachePolicy,
        as_of: Snapshot | None = None,
    ) -> ReadRun:
        """One run's metrics, tags and custom info; for a further page ``as_of`` the first one's snapshot.

        Raises ``CursorExpired`` where that is stored no more.
        """

        def read() -> ReadRun:
            found = self._runtime.run_metrics([run_id], cache_scope, context, cache_policy)[run_id]
            if isinstance(found, ServiceError):
                raise found
            return found

        return _as_of(as_of, read, self._runtime.run_metrics_as_of)

    def runs(
        self,
        cache_scope: CacheScope,
        context: RequestContext,
        cache_policy: RequestCachePolicy,
        as_of: Snapshot | None = None,
    ) -> ReadEntry[RunList]:
        """All runs of the resource group, newest first; for a further page ``as_of`` the first one's snapshot.

        Raises ``CursorExpired`` where that is stored no more.
        """
        return _as_of(
            as_of,
            lambda: self._runtime.runs(cache_scope, context, cache_policy),
            self._runtime.runs_as_of,
        )

    def run(
        self, run_id: str, cache_scope: CacheScope, context: RequestContext, cache_policy: RequestCachePolicy
    ) -> ReadEntry[RunDetails]:
        """One run and what surrounds it."""
        return self._runtime.run(run_id, cache_scope, context, cache_policy)

    def comparison(
        self, run_ids: Sequence[str], cache_scope: CacheScope, context: RequestContext, cache_policy: RequestCachePolicy
    ) -> ReadComparison:
        """Runs with what surrounds them and their metrics; raises the first run's error where none can be read."""
        details, metrics = self._runtime.runs_compared(run_ids, cache_scope, context, cache_policy)
        read = ReadComparison({}, {})
        for run_id in run_ids:
            one, resource = details[run_id], metrics[run_id]
            if isinstance(one, ServiceError):
                read.missing[run_id] = one
            elif isinstance(resource, ServiceError):
                read.missing[run_id] = resource
            else:
                read.found[run_id] = (one, resource)
        if not read.found:
            raise next(iter(read.missing.values()))
        return read

    def has_metrics(
        self, cache_scope: CacheScope, context: RequestContext, cache_policy: RequestCachePolicy
    ) -> bool | None:
        """Whether the runtime's runs have a metric resource; ``None`` where that cannot be told now."""
        try:
            found, _, _ = self.capabilities(cache_scope, context, cache_policy)
        except ServiceError:
            return None
        return found.metrics

    def capabilities(
        self, cache_scope: CacheScope, context: RequestContext, cache_policy: RequestCachePolicy
    ) -> tuple[Capabilities, str, Provenance]:
        """What the runtime can do, a name of that content, and how it was come by."""
        capabilities, found = self._runtime.capabilities(cache_scope, context, cache_policy)
        return capabilities, found.header.digest.hex(), found.provenance

    def fresh_entry(self, key: str, digest: bytes) -> Provenance | None:
        """How fresh a stored answer is, if it is fresh and its content is still that of ``digest``."""
        return self._runtime.fresh_entry(key, digest)

    def runtime_state(self, cache_scope: CacheScope, context: RequestContext) -> RuntimeState:
        """How the runtime does, by asking what it can do, at most every few seconds."""
        cache_policy = RequestCachePolicy(RequestDirectives(max_age=_STATE_SECONDS), time.time(), paced=False)
        try:
            _, found = self._runtime.capabilities(cache_scope, context, cache_policy)
        except (BadGateway, RuntimeRefuses, RuntimeForbids):
            return "unusable"
        except ServiceError:
            return "unreachable"
        return "unreachable" if found.provenance.source is Source.STORED_ON_ERROR else "reachable"

    def close(self) -> None:
        self._runtime.close()


def _as_of(snapshot: Snapshot | None, read: Callable[[], R], before: Callable[[Snapshot, R], R]) -> R:
    """What there is now, or the snapshot, where there is one and it differs.

    What there is now is read first: who may not read that, or would find it gone, has no snapshot of it either.
    """
    now = read()
    return now if snapshot is None or now.digest == snapshot.digest else before(snapshot, now)
