"""All reads of the service, from the store or the runtime, independent of HTTP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from service.caching import codec
from service.concurrency.blocking import waiting
from service.concurrency.pending import Pending
from service.domain.errors import (
    LogsNotSupported,
    ServiceError,
)
from service.domain.freshness import Provenance, RequestCachePolicy, Snapshot
from service.domain.logs import LogQuery, RunLog
from service.domain.metrics import MetricResource
from service.domain.run_lists import RunList
from service.domain.runs import RunDetails
from service.domain.runtime import RequestContext, ResourceGroups
from service.reads import run_packing
from service.reads.batches import paced
from service.reads.capability_reads import CapabilityReads
from service.reads.comparison import ReadComparison
from service.reads.entries import Connection, Entries, EntryRequest, raised
from service.reads.metric_reads import MetricReads, error_for_all
from service.reads.results import VALUE, Fetched, Read


class Queries:
    """Reads the runtime of ``context.cache_scope.connection``; an answer is fetched once for all readers of the same
    scope.

    Every method, those of ``metrics`` and ``capabilities`` too, ends by the context's deadline and raises only
    ``ServiceError``s.
    """

    def __init__(self, connections: Mapping[str, Connection]) -> None:
        self._connections = connections
        self._entries = Entries(connections)
        self.capabilities = CapabilityReads(self._entries)
        self.metrics = MetricReads(self._entries, self.capabilities)

    def runs(self, context: RequestContext, as_of: Snapshot | None = None) -> Read[RunList]:
        """All runs of the resource group, newest first; for another page, ``as_of`` the first one's snapshot.

        Raises ``CursorExpired`` where that is no longer stored.
        """

        def fetch(within: RequestContext) -> Fetched:
            return Fetched(VALUE, packed=run_packing.packed(self._entries.runtime(context).runs(within)))

        asked = EntryRequest(self._entries.key("run-list", context), fetch, run_packing.unpacked)
        return self._entries.as_of(as_of, self._entries.get(asked, context), run_packing.unpacked, context)

    def run(self, run_id: str, context: RequestContext) -> Read[RunDetails]:
        """One run and its related objects; it is soon stale where a part is missing."""
        return raised(self._begin_run(run_id, context).outcome(context.deadline))

    def _begin_run(self, run_id: str, context: RequestContext) -> Pending[Read[RunDetails] | ServiceError]:
        def fetch(within: RequestContext) -> Fetched:
            found = self._entries.runtime(context).run(run_id, within)
            return Fetched(VALUE, found.run.may_change or bool(found.unavailable), codec.pack(found))

        unpack = partial(codec.unpack, kind=RunDetails)
        return self._entries.begin(
            EntryRequest(self._entries.key("run", context, run_id), fetch, unpack, run_id), context
        )

    def logs(self, run_id: str, query: LogQuery, context: RequestContext) -> Read[RunLog]:
        """Lines of a run's log, which are soon stale where the run may write more, or the log could not be searched
        completely.

        Raises ``LogsNotSupported`` without a request where the runtime's capabilities exclude logs.
        """
        can = self.capabilities.if_known(context.with_policy(RequestCachePolicy()))
        if can is not None and can.logs is False:
            raise LogsNotSupported

        def fetch(within: RequestContext) -> Fetched:
            found = self._entries.runtime(context).logs(run_id, query, within)
            return Fetched(VALUE, found.may_change or not found.complete, codec.pack(found))

        key = self._entries.key("logs", context, run_id, repr(query))
        return self._entries.get(EntryRequest(key, fetch, partial(codec.unpack, kind=RunLog), run_id), context)

    def resource_groups(self, context: RequestContext) -> Read[ResourceGroups]:
        """The runtime's resource groups for the caller's tenant."""

        def fetch(within: RequestContext) -> Fetched:
            found = self._entries.runtime(context).resource_groups(within)
            return Fetched(VALUE, not found.complete, codec.pack(found))

        unpack = partial(codec.unpack, kind=ResourceGroups)
        return self._entries.get(EntryRequest(self._entries.key("resource-groups", context), fetch, unpack), context)

    def comparison(self, run_ids: Sequence[str], context: RequestContext) -> ReadComparison:
        """Runs with their related objects and metrics; raises one of their errors where none can be read."""
        details, metrics = self._details_and_metrics(run_ids, context)
        found: dict[str, tuple[Read[RunDetails], Read[MetricResource]]] = {}
        missing: dict[str, ServiceError] = {}
        for run_id in run_ids:
            one, resource = details[run_id], metrics[run_id]
            if isinstance(one, ServiceError):
                missing[run_id] = one
            elif isinstance(resource, ServiceError):
                missing[run_id] = resource
            else:
                found[run_id] = (one, resource)
        if not found:
            raise error_for_all(missing)
        summaries = self.metrics.summaries_of({run_id: resource for run_id, (_, resource) in found.items()}, context)
        return ReadComparison(found, summaries, missing)

    def fresh_entry(self, connection: str, key: str, digest: bytes, *, at_hand_only: bool = False) -> Provenance | None:
        """The freshness of a stored answer, if it is fresh and its content is still that of ``digest``."""
        return self._connections[connection].reads.fresh_entry(key, digest, at_hand_only=at_hand_only)

    def close(self) -> None:
        for connection in self._connections.values():
            connection.reads.close()

    def _details_and_metrics(
        self, run_ids: Sequence[str], context: RequestContext
    ) -> tuple[dict[str, Read[RunDetails] | ServiceError], dict[str, Read[MetricResource] | ServiceError]]:
        """Several runs and their metric resources, read in parallel; all metrics by one request where possible."""

        def read(parts: Sequence[tuple[str, str]], within: RequestContext) -> dict[tuple[str, str], Any]:
            details, metrics = self._side_by_side(
                [run_id for kind, run_id in parts if kind == "run"],
                [run_id for kind, run_id in parts if kind == "metrics"],
                within,
            )
            return {
                **{("run", run_id): one for run_id, one in details.items()},
                **{("metrics", run_id): one for run_id, one in metrics.items()},
            }

        parts = [(kind, run_id) for kind in ("run", "metrics") for run_id in run_ids]
        found = paced(parts, read, context, self._entries.reads(context).fetches)
        return (
            {run_id: found["run", run_id] for run_id in run_ids},
            {run_id: found["metrics", run_id] for run_id in run_ids},
        )

    def _side_by_side(
        self, details_of: Sequence[str], metrics_of: Sequence[str], context: RequestContext
    ) -> tuple[dict[str, Read[RunDetails] | ServiceError], dict[str, Read[MetricResource] | ServiceError]]:
        details = {run_id: self._begin_run(run_id, context) for run_id in details_of}
        metrics = self.metrics.begin_resources(metrics_of, context) if metrics_of else None
        with waiting():
            return (
                {run_id: one.outcome(context.deadline) for run_id, one in details.items()},
                {} if metrics is None else metrics.outcome(context.deadline),
            )
