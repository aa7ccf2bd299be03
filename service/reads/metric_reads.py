"""Reads of runs' metric resources, and of what is made of those of many runs: their points and summaries."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import partial

from msgspec import structs
from msgspec.structs import replace

from service.caching import codec
from service.caching.codec import ContentGone, NotAnEntry, Packed
from service.concurrency.deadline import Deadline
from service.concurrency.pending import Pending
from service.domain.errors import CursorExpired, RunNotFound, ServiceError
from service.domain.freshness import RequestCachePolicy, Snapshot
from service.domain.metrics import MetricResource
from service.domain.runtime import RequestContext, RunMetrics
from service.domain.series.summary import RunSummary
from service.reads import packing, remembered_errors
from service.reads.batches import ByteBudget, in_batches, paced
from service.reads.capability_reads import CapabilityReads, exclude_metrics
from service.reads.entries import Entries, value
from service.reads.points import Manifest, ReadPoints
from service.reads.results import VALUE, Fetched, Found, Read
from service.reads.summaries import Summaries

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


class MetricReads:
    """Reads the metrics of runs of the runtime that a request names; those of several by one upstream request where
    possible."""

    def __init__(self, entries: Entries, capabilities: CapabilityReads) -> None:
        self._entries = entries
        self._capabilities = capabilities
        self._made = Summaries()

    def resource(self, run_id: str, context: RequestContext, as_of: Snapshot | None = None) -> Read[MetricResource]:
        """One run's metrics, tags and custom info; for another page, ``as_of`` the first one's snapshot.

        Raises ``CursorExpired`` where that is no longer stored.
        """
        now = self.resources([run_id], context)[run_id]
        if isinstance(now, ServiceError):
            raise now
        return self._entries.as_of(as_of, now, packing.unpacked, context)

    def resources(
        self, run_ids: Sequence[str], context: RequestContext, ended_at: Mapping[str, float] = _NEVER
    ) -> dict[str, Read[MetricResource] | ServiceError]:
        """Each run's metric resource, or its error; by one upstream request where possible.

        ``ended_at``: see ``summaries``.
        """
        return self.begin_resources(run_ids, context, ended_at).outcome(context.deadline)

    def begin_resources(
        self, run_ids: Sequence[str], context: RequestContext, ended_at: Mapping[str, float] = _NEVER
    ) -> Pending[dict[str, Read[MetricResource] | ServiceError]]:
        """Begin to read the metric resources of runs; see ``resources``."""
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
            raise error_for_all(missing)
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

    def summaries_of(
        self, resources: Mapping[str, Read[MetricResource]], context: RequestContext
    ) -> dict[str, Read[RunSummary]]:
        """The summaries of metric resources that were read."""
        return self._made.of(resources, self._entries.reads(context))

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
                again = self.resources([run_id], anew)[run_id]
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
        return {**self.summaries_of(read, context), **errors}

    def _fetch_runs(
        self, run_of: Mapping[str, str], context: RequestContext, keys: Sequence[str], deadline: Deadline
    ) -> dict[str, Fetched | ServiceError]:
        """Fetch the metrics of the runs of ``keys`` and, in parallel where they are not known, the capabilities, for
        whether there are metrics at all."""
        within = self._entries.fetching(context, deadline)
        capabilities = self._capabilities.begin(within.with_policy(RequestCachePolicy()))
        found = self._entries.runtime(within).run_metrics([run_of[key] for key in keys], within)
        if exclude_metrics(capabilities.outcome(deadline.sooner(_META_GRACE))):
            return dict.fromkeys(keys, Fetched(remembered_errors.UNSUPPORTED))
        return {key: _fetched(found[run_of[key]]) for key in keys}


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


def _fetched(outcome: RunMetrics | ServiceError) -> Fetched | ServiceError:
    """A run's metrics, or its error, in the form for the store."""
    if isinstance(outcome, RunMetrics):
        return Fetched(VALUE, outcome.may_change, packing.packed(outcome.resource), outcome.status)
    return remembered_errors.of(outcome)


def error_for_all(missing: Mapping[str, ServiceError]) -> ServiceError:
    """The error where no run can be read: one that is not an absence, if there is one, otherwise that of all."""
    others = (error for error in missing.values() if not isinstance(error, RunNotFound))
    return next(others, RunNotFound(*missing))
