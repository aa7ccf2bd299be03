"""All reads of the service, from the store or the runtime, independent of HTTP."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal, TypeVar

from msgspec import structs

from service.caching import codec
from service.caching.codec import ContentGone, NotAnEntry, Packed
from service.concurrency.blocking import waiting
from service.concurrency.deadline import Deadline
from service.concurrency.pending import Pending
from service.domain.errors import (
    BadGateway,
    CursorExpired,
    LogsNotSupported,
    RunNotFound,
    RuntimeForbids,
    RuntimeRefuses,
    ServiceError,
)
from service.domain.freshness import Provenance, RequestCachePolicy, RequestDirectives, Snapshot, Source
from service.domain.logs import LogQuery, RunLog
from service.domain.metrics import MetricResource
from service.domain.run_lists import RunList
from service.domain.runs import RunDetails
from service.domain.runtime import Capabilities, Kind, RequestContext, ResourceGroups, RunMetrics
from service.domain.series.summary import RunSummary
from service.reads import packing, policy, remembered_errors, run_packing
from service.reads.batches import ByteBudget, in_batches, paced
from service.reads.comparison import ReadComparison
from service.reads.entries import Connection, Entries, EntryRequest, raised, value
from service.reads.points import Manifest, ReadPoints
from service.reads.results import VALUE, Fetched, Found, Read
from service.reads.summaries import Summaries

T = TypeVar("T")
U = TypeVar("U")
RuntimeState = Literal["reachable", "unreachable", "unusable", "unknown"]


@dataclass(frozen=True, slots=True)
class RuntimeCondition:
    """The state of a runtime; ``detail`` says why it is unreachable or unusable."""

    state: RuntimeState
    detail: str = ""


_STATE_SECONDS = 10
_NEVER: Mapping[str, float] = {}
_TABLE_CALLS = 2
"""Batches in progress at once for one table of points, which may be large."""
_SUMMARY_CALLS = 4
"""Batches in progress at once for the summaries of one list of runs, which bounds the contents in memory."""
_SMALL = 4 * 1024 * 1024
"""Bytes of a content up to which it is summarized at once; larger ones are summarized as large work."""
_HELD = 16 * 1024 * 1024
"""Bytes of contents that could not be stored and stay in memory until they are written."""
_META_GRACE = 1.0
"""Seconds that a run's answer waits for the capabilities, which say whether the runtime has metrics at all."""


class Queries:
    """Reads the runtime of ``context.cache_scope.connection``; an answer is fetched once for all readers of the same
    scope.

    Every method ends by the context's deadline and raises only ``ServiceError``s.
    """

    def __init__(self, connections: Mapping[str, Connection]) -> None:
        self._connections = connections
        self._entries = Entries(connections)
        self._made = Summaries()

    def metric_resource(
        self, run_id: str, context: RequestContext, as_of: Snapshot | None = None
    ) -> Read[MetricResource]:
        """One run's metrics, tags and custom info; for another page, ``as_of`` the first one's snapshot.

        Raises ``CursorExpired`` where that is no longer stored.
        """
        now = self.metric_resources([run_id], context)[run_id]
        if isinstance(now, ServiceError):
            raise now
        return self._entries.as_of(as_of, now, packing.unpacked, context)

    def metric_resources(
        self, run_ids: Sequence[str], context: RequestContext, ended_at: Mapping[str, float] = _NEVER
    ) -> dict[str, Read[MetricResource] | ServiceError]:
        """Each run's metric resource, or its error; by one upstream request where possible.

        ``ended_at``: see ``summaries``.
        """
        return self._begin_resources(run_ids, context, ended_at).outcome(context.deadline)

    def _begin_resources(
        self, run_ids: Sequence[str], context: RequestContext, ended_at: Mapping[str, float] = _NEVER
    ) -> Pending[dict[str, Read[MetricResource] | ServiceError]]:
        return self._begin_metrics(run_ids, context, ended_at).map(partial(self._read_all, context))

    def _read_all(
        self, context: RequestContext, found: Mapping[str, Found | ServiceError]
    ) -> dict[str, Read[MetricResource] | ServiceError]:
        return {
            run_id: one if isinstance(one, ServiceError) else self._entries.read(one, packing.unpacked, context)
            for run_id, one in found.items()
        }

    def _begin_metrics(
        self, run_ids: Sequence[str], context: RequestContext, ended_at: Mapping[str, float] = _NEVER
    ) -> Pending[dict[str, Found | ServiceError]]:
        key_of = self._entries.keys("run-metrics", context)
        run_of = {key_of(run_id): run_id for run_id in run_ids}
        ended = {key: ended_at[run_id] for key, run_id in run_of.items() if run_id in ended_at}
        fetch = partial(self._fetch_runs, run_of, context)
        found = self._entries.reads(context).begin(list(run_of), fetch, context.cache_policy, context.deadline, ended)
        return found.map(partial(_by_run, run_of))

    def points(self, run_ids: Sequence[str], context: RequestContext, as_of: Snapshot | None = None) -> ReadPoints:
        """Many runs' metric resources, none of them in memory; for another page, ``as_of`` the first one's snapshot.

        At most ``BATCH`` runs are read by one upstream call. Raises one of their errors where none can be read,
        ``CursorExpired`` where a content of the snapshot is no longer stored.
        """
        read = self._many(run_ids, context)
        manifest = Manifest.of(read)
        key = self._entries.key("points", context, "", *run_ids)
        reads = self._entries.reads(context)
        if as_of is not None and as_of != manifest.snapshot:
            read = self._many_as_of(reads.snapshot(key, as_of), read, context)
            manifest = Manifest.of(read)
        found = {run_id: one for run_id, one in read.items() if not isinstance(one, ServiceError)}
        missing = {run_id: one for run_id, one in read.items() if isinstance(one, ServiceError)}
        if not found:
            raise _for_all(missing)
        keep = partial(reads.keep_derived, key, manifest.packed(), time.time())
        return ReadPoints(found, missing, manifest.snapshot, keep)

    def summaries(
        self, run_ids: Sequence[str], context: RequestContext, ended_at: Mapping[str, float] = _NEVER
    ) -> dict[str, Read[RunSummary] | ServiceError]:
        """The summaries of each run's metrics, or its error.

        Summaries are stored by content, so that no points of a run with stored metrics are read. ``ended_at`` has the
        ends of runs, in seconds since the epoch: what was fetched long after a run's end counts as fresh for as long as
        it is stored. At most ``BATCH`` runs are read by one upstream call, of which only the summaries stay in memory.
        """

        def read_all(ids: Sequence[str], asked: RequestContext) -> dict[str, Read[RunSummary] | ServiceError]:
            fresh = self._fresh_resources(ids, asked, ended_at)
            others = [run_id for run_id in ids if run_id not in fresh]
            return self._summaries(fresh, asked) | self._summaries_in_batches(others, asked, ended_at)

        return paced(run_ids, read_all, context, self._entries.reads(context).fetches)

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
        can = self.capabilities_if_known(context.with_policy(RequestCachePolicy()))
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
            raise _for_all(missing)
        summaries = self._summaries_of({run_id: resource for run_id, (_, resource) in found.items()}, context)
        return ReadComparison(found, summaries, missing)

    def capabilities(self, context: RequestContext) -> Read[Capabilities]:
        """The runtime's capabilities, with the content loaded."""
        try:
            return self._capabilities(context)
        except ContentGone:
            return self._capabilities(context.no_cache())

    def capabilities_if_known(self, context: RequestContext) -> Capabilities | None:
        """The runtime's capabilities; ``None`` where they cannot be read now."""
        try:
            return self.capabilities(context).content()
        except ServiceError:
            return None

    def kind(self, context: RequestContext) -> Kind:
        """What the runtime speaks."""
        return self._entries.runtime(context).kind

    def runtime_condition(self, context: RequestContext, *, explained: bool) -> RuntimeCondition:
        """The runtime's condition, probed by its capabilities every few seconds at most.

        ``explained``: probed now, so that no stored answer stands in for the reason of trouble.
        """
        recent = RequestCachePolicy(RequestDirectives(max_age=_STATE_SECONDS), paced=False)
        cache_policy = RequestCachePolicy.no_cache() if explained else recent
        try:
            read = self.capabilities(context.with_policy(cache_policy))
        except (BadGateway, RuntimeRefuses, RuntimeForbids) as error:
            return RuntimeCondition("unusable", error.detail)
        except ServiceError as error:
            return RuntimeCondition("unreachable", error.detail)
        return RuntimeCondition("unreachable" if read.provenance.source is Source.STORED_ON_ERROR else "reachable")

    def fresh_entry(self, connection: str, key: str, digest: bytes, *, at_hand_only: bool = False) -> Provenance | None:
        """The freshness of a stored answer, if it is fresh and its content is still that of ``digest``."""
        return self._connections[connection].reads.fresh_entry(key, digest, at_hand_only=at_hand_only)

    def close(self) -> None:
        for connection in self._connections.values():
            connection.reads.close()

    def _many(self, run_ids: Sequence[str], context: RequestContext) -> dict[str, Read[MetricResource] | ServiceError]:
        """Runs' metric resources, whose contents stay in memory only where they are not stored, up to a limit."""
        room = ByteBudget(_HELD)

        def read(ids: Sequence[str], asked: RequestContext) -> dict[str, Read[MetricResource] | ServiceError]:
            def finish(found: Mapping[str, Found | ServiceError]) -> dict[str, Read[MetricResource] | ServiceError]:
                return {run_id: self._let_go(run_id, one, asked, room) for run_id, one in found.items()}

            begin = partial(self._begin_metrics, context=asked)
            return in_batches(ids, begin, finish, asked.deadline, at_once=_TABLE_CALLS)

        return paced(run_ids, read, context, self._entries.reads(context).fetches)

    def _let_go(
        self, run_id: str, found: Found | ServiceError, context: RequestContext, room: ByteBudget
    ) -> Read[MetricResource] | ServiceError:
        """The same read without its content, which is loaded on access, and fetched again where it is gone."""
        if isinstance(found, ServiceError):
            return found
        if found.packed is not None and (found.provenance.kept or not room.take(found.header.size)):
            found = structs.replace(found, packed=None)
        read = self._entries.read(found, packing.unpacked, context)
        seconds = context.deadline.remaining()

        def content() -> MetricResource:
            try:
                return read.content()
            except ContentGone:
                anew = replace(context.no_cache(), deadline=Deadline.after(seconds))
                again = self.metric_resources([run_id], anew)[run_id]
                if isinstance(again, ServiceError) or again.digest != read.digest:
                    raise
                return again.content()

        return structs.replace(read, content=content)

    def _many_as_of(
        self,
        packed: Packed | None,
        now: Mapping[str, Read[MetricResource] | ServiceError],
        context: RequestContext,
    ) -> dict[str, Read[MetricResource] | ServiceError]:
        """The reads ``now``, as of the manifest; a caller who may not read a run now gets no snapshot of it either."""
        if packed is None:
            raise CursorExpired
        try:
            manifest = codec.unpack(packed, Manifest)
        except NotAnEntry:
            raise CursorExpired from None
        read: dict[str, Read[MetricResource] | ServiceError] = {}
        for run_id, one in now.items():
            snapshot = manifest.snapshots.get(run_id)
            if isinstance(one, ServiceError) is not (snapshot is None):
                raise CursorExpired
            read[run_id] = (
                one if isinstance(one, ServiceError) else self._entries.as_of(snapshot, one, packing.unpacked, context)
            )
        return read

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

    def _fresh_resources(
        self, run_ids: Sequence[str], context: RequestContext, ended_at: Mapping[str, float]
    ) -> dict[str, Read[MetricResource] | ServiceError]:
        """The stored metric resources of runs that are fresh enough, read together."""
        key_of = self._entries.keys("run-metrics", context)
        run_of = {key_of(run_id): run_id for run_id in run_ids}
        ended = {key: ended_at[run_id] for key, run_id in run_of.items() if run_id in ended_at}
        fresh = self._entries.reads(context).fresh(list(run_of), context.cache_policy, ended)
        return self._read_all(context, _by_run({key: run_of[key] for key in fresh}, fresh))

    def _summaries_in_batches(
        self, run_ids: Sequence[str], context: RequestContext, ended_at: Mapping[str, float]
    ) -> dict[str, Read[RunSummary] | ServiceError]:
        """Summaries made while the contents are in memory, except large ones, which are loaded again one by one."""
        room = ByteBudget(_HELD)

        def resource(run_id: str, found: Found | ServiceError) -> Read[MetricResource] | ServiceError:
            if isinstance(found, ServiceError) or found.header.size > _SMALL:
                return self._let_go(run_id, found, context, room)
            return self._entries.read(found, packing.unpacked, context)

        def finish(found: Mapping[str, Found | ServiceError]) -> dict[str, Read[RunSummary] | ServiceError]:
            resources = {run_id: resource(run_id, one) for run_id, one in found.items()}
            return {run_id: _made(one) for run_id, one in self._summaries(resources, context).items()}

        begin = partial(self._begin_metrics, context=context, ended_at=ended_at)
        return in_batches(run_ids, begin, finish, context.deadline, at_once=_SUMMARY_CALLS)

    def _summaries(
        self, resources: Mapping[str, Read[MetricResource] | ServiceError], context: RequestContext
    ) -> dict[str, Read[RunSummary] | ServiceError]:
        read = {run_id: one for run_id, one in resources.items() if not isinstance(one, ServiceError)}
        errors = {run_id: one for run_id, one in resources.items() if isinstance(one, ServiceError)}
        return {**self._summaries_of(read, context), **errors}

    def _summaries_of(
        self, resources: Mapping[str, Read[MetricResource]], context: RequestContext
    ) -> dict[str, Read[RunSummary]]:
        return self._made.of(resources, self._entries.reads(context))

    def _side_by_side(
        self, details_of: Sequence[str], metrics_of: Sequence[str], context: RequestContext
    ) -> tuple[dict[str, Read[RunDetails] | ServiceError], dict[str, Read[MetricResource] | ServiceError]]:
        details = {run_id: self._begin_run(run_id, context) for run_id in details_of}
        metrics = self._begin_resources(metrics_of, context) if metrics_of else None
        with waiting():
            return (
                {run_id: one.outcome(context.deadline) for run_id, one in details.items()},
                {} if metrics is None else metrics.outcome(context.deadline),
            )

    def _fetch_runs(
        self, run_of: Mapping[str, str], context: RequestContext, keys: Sequence[str], deadline: Deadline
    ) -> dict[str, Fetched | ServiceError]:
        """Fetch the metrics of the runs of ``keys`` and, in parallel where they are not known, the capabilities, for
        whether there are metrics at all."""
        within = self._entries.fetching(context, deadline)
        capabilities = self._begin_capabilities(within.with_policy(RequestCachePolicy()))
        found = self._entries.runtime(within).run_metrics([run_of[key] for key in keys], within)
        if _has_no_metrics(capabilities.outcome(deadline.sooner(_META_GRACE))):
            return dict.fromkeys(keys, Fetched(remembered_errors.UNSUPPORTED))
        return {key: _fetched(found[run_of[key]]) for key in keys}

    def _capabilities(self, context: RequestContext) -> Read[Capabilities]:
        read = raised(self._begin_capabilities(context).outcome(context.deadline))
        capabilities = read.content()
        return structs.replace(read, content=lambda: capabilities)

    def _begin_capabilities(self, context: RequestContext) -> Pending[Read[Capabilities] | ServiceError]:
        def fetch(within: RequestContext) -> Fetched:
            capabilities = self._entries.runtime(context).capabilities(within)
            return Fetched(VALUE, may_change=not capabilities.metrics, packed=codec.pack(capabilities))

        wanted = EntryRequest(
            self._entries.key("capabilities", context),
            fetch,
            partial(codec.unpack, kind=Capabilities),
            of_error=remembered_errors.of_capabilities,
        )
        return self._entries.begin(wanted, context)


def _by_run(run_of: Mapping[str, str], by_key: Mapping[str, Found | ServiceError]) -> dict[str, Found | ServiceError]:
    """What was found for each run, by its id."""
    return {run_id: value(by_key[key], run_id) for key, run_id in run_of.items()}


def _made(read: Read[RunSummary] | ServiceError) -> Read[RunSummary] | ServiceError:
    """The same with its summary made, where the content is small, so that the content can be freed."""
    if isinstance(read, ServiceError) or read.size > _SMALL:
        return read
    try:
        made = read.content()
    except ContentGone:
        return read
    return structs.replace(read, content=lambda: made)


def _has_no_metrics(read: Read[Capabilities] | ServiceError) -> bool:
    """Whether current capabilities exclude metrics."""
    if isinstance(read, ServiceError) or not policy.is_current(read.provenance):
        return False
    with suppress(ContentGone):
        return read.content().metrics is False
    return False


def _fetched(outcome: RunMetrics | ServiceError) -> Fetched | ServiceError:
    """A run's metrics, or its error, in the form for the store."""
    if isinstance(outcome, RunMetrics):
        return Fetched(VALUE, outcome.may_change, packing.packed(outcome.resource), outcome.status)
    return remembered_errors.of(outcome)


def _for_all(missing: Mapping[str, ServiceError]) -> ServiceError:
    """The error where no run can be read: one that is not an absence, if there is one."""
    return min(missing.values(), key=lambda error: isinstance(error, RunNotFound))
