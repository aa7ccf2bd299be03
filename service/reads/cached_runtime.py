"""An AI runtime read through the store: what ``queries`` asks."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Generic, TypeVar

import msgspec

from service.caching import codec
from service.caching.codec import ContentGone, Length, NotAnEntry, Packed, entry_key
from service.concurrency.blocking import waiting
from service.concurrency.deadline import Deadline
from service.concurrency.fan_out import FanOut, Task
from service.domain.errors import (
    BadGateway,
    CursorExpired,
    ServiceError,
    TooSoon,
)
from service.domain.metrics import Chunks, MetricResource
from service.domain.reading import Provenance, RequestCachePolicy, RequestDirectives, Snapshot, Source
from service.domain.runs import RunDetails, RunList
from service.domain.runtime import AIRuntime, CacheScope, Capabilities, RequestContext, RunMetrics
from service.reads import remembered_errors
from service.reads.model import VALUE, Fetched, Found
from service.reads.read_through import ReadThrough

T = TypeVar("T")

_META_GRACE = 1.0
"""Seconds that a run's answer, once there, waits to hear whether the runtime has metrics at all."""
_CURRENT = frozenset({Source.STORED, Source.FETCHED_NEW, Source.FETCHED_OVER_STALE, Source.FETCHED_ON_REQUEST})


@dataclass(frozen=True, slots=True)
class ReadRun:
    """One run's metric resource as it was read.

    ``key`` and ``digest`` name its content. ``resource`` loads the content itself and raises ``ContentGone`` where it
    has left the store since; so may its chunks when they are looked at.
    """

    key: str
    digest: bytes
    provenance: Provenance
    resource: Callable[[], MetricResource]
    snapshot: Snapshot

    @property
    def size(self) -> int:
        """Bytes of the content, unpacked."""
        return self.snapshot.size


@dataclass(frozen=True, slots=True)
class ReadEntry(Generic[T]):
    """A stored answer as it was read; ``content`` loads it and raises ``ContentGone`` where it has left the store."""

    key: str
    digest: bytes
    provenance: Provenance
    content: Callable[[], T]
    snapshot: Snapshot

    @property
    def size(self) -> int:
        """Bytes of the content, unpacked."""
        return self.snapshot.size


class CachedRuntime:
    """Reads runs and capabilities; each is fetched once for all who ask from the same cache_scope."""

    def __init__(
        self, runtime: AIRuntime, reads: ReadThrough, fan_out: FanOut[ServiceError], comparing: FanOut[ServiceError]
    ) -> None:
        self._runtime = runtime
        self._reads = reads
        self._fan_out = fan_out
        self._comparing = comparing

    def run_metrics(
        self, run_ids: Sequence[str], cache_scope: CacheScope, context: RequestContext, cache_policy: RequestCachePolicy
    ) -> dict[str, ReadRun | ServiceError]:
        """Each run's metric resource, or what is the matter with that run; at most one metrics request upstream."""
        run_of = {self._key("run-metrics", cache_scope, run_id): run_id for run_id in run_ids}

        def fetch(keys: Sequence[str], deadline: Deadline) -> dict[str, Fetched | ServiceError]:
            return self._fetch_runs(
                {key: run_of[key] for key in keys}, cache_scope, replace(context, deadline=deadline)
            )

        found = self._reads.read(list(run_of), fetch, cache_policy, context.deadline)
        return {run_id: self._read_run(found[key], run_id) for key, run_id in run_of.items()}

    def capabilities(
        self, cache_scope: CacheScope, context: RequestContext, cache_policy: RequestCachePolicy
    ) -> tuple[Capabilities, Found]:
        """What the runtime can do. Raises ``ServiceError``s."""
        try:
            return self._capabilities(cache_scope, context, cache_policy)
        except ContentGone:
            return self._capabilities(cache_scope, context, RequestCachePolicy.anew())

    def _capabilities(
        self, cache_scope: CacheScope, context: RequestContext, cache_policy: RequestCachePolicy
    ) -> tuple[Capabilities, Found]:
        key = self._key("capabilities", cache_scope, "")

        def fetch(keys: Sequence[str], deadline: Deadline) -> dict[str, Fetched | ServiceError]:
            return dict.fromkeys(keys, self._fetch_capabilities(cache_scope, replace(context, deadline=deadline)))

        found = self._reads.read([key], fetch, cache_policy, context.deadline)[key]
        if isinstance(found, ServiceError):
            raise found
        if found.header.outcome != VALUE:
            raise BadGateway("the AI runtime does not tell what it can do")
        capabilities = self._content(found, lambda packed: codec.unpack(packed, Capabilities))
        self._runtime.observe(capabilities, found.header.fetched_at)
        return capabilities, found

    def runs(
        self, cache_scope: CacheScope, context: RequestContext, cache_policy: RequestCachePolicy
    ) -> ReadEntry[RunList]:
        """All runs of the resource group. Raises ``ServiceError``s."""

        def fetch(within: RequestContext) -> Fetched:
            return Fetched(VALUE, packed=codec.pack(self._runtime.runs(cache_scope, within)))

        return self._read_one(self._key("runs", cache_scope, ""), fetch, RunList, context, cache_policy)

    def runs_as_of(self, snapshot: Snapshot, now: ReadEntry[RunList]) -> ReadEntry[RunList]:
        """The runs as they were before ``now``. Raises ``CursorExpired`` where that is stored no more."""
        runs = self._as_of(now.key, snapshot, lambda packed: codec.unpack(packed, RunList))
        return replace(now, digest=snapshot.digest, snapshot=snapshot, content=lambda: runs)

    def run_metrics_as_of(self, snapshot: Snapshot, now: ReadRun) -> ReadRun:
        """A run's metric resource as it was before ``now``. Raises ``CursorExpired`` where that is stored no more."""
        resource = self._as_of(now.key, snapshot, unpacked)
        return replace(now, digest=snapshot.digest, snapshot=snapshot, resource=lambda: resource)

    def run(
        self, run_id: str, cache_scope: CacheScope, context: RequestContext, cache_policy: RequestCachePolicy
    ) -> ReadEntry[RunDetails]:
        """One run and what surrounds it; soon read again where a part is missing. Raises ``ServiceError``s."""

        def fetch(within: RequestContext) -> Fetched:
            found = self._runtime.run(run_id, cache_scope, within)
            return Fetched(VALUE, found.run.may_change or bool(found.unavailable), codec.pack(found))

        return self._read_one(
            self._key("run", cache_scope, run_id), fetch, RunDetails, context, cache_policy, run_id=run_id
        )

    def runs_compared(
        self, run_ids: Sequence[str], cache_scope: CacheScope, context: RequestContext, cache_policy: RequestCachePolicy
    ) -> tuple[dict[str, ReadEntry[RunDetails] | ServiceError], dict[str, ReadRun | ServiceError]]:
        """Several runs and their metric resources, read side by side; all metrics by one request at most.

        What is refreshed too soon is waited for here, once for all parts, and not on the threads that read them.
        """
        details: dict[str, ReadEntry[RunDetails] | ServiceError] = {}
        metrics: dict[str, ReadRun | ServiceError] = {}
        without_details, without_metrics = list(run_ids), list(run_ids)
        asked = replace(cache_policy, waits=False)
        while without_details or without_metrics:
            answers = self._read_compared(without_details, without_metrics, cache_scope, context, asked)
            details |= answers[0]
            metrics |= answers[1]
            if asked.waits:
                break
            without_details = [run_id for run_id in without_details if isinstance(details[run_id], TooSoon)]
            without_metrics = [run_id for run_id in without_metrics if isinstance(metrics[run_id], TooSoon)]
            soon = [one for one in (*details.values(), *metrics.values()) if isinstance(one, TooSoon)]
            if soon and self._reads.pause(soon, context.deadline) is not None:
                asked = cache_policy  # for what can be given in its place
        return details, metrics

    def _read_compared(
        self,
        details_of: Sequence[str],
        metrics_of: Sequence[str],
        cache_scope: CacheScope,
        context: RequestContext,
        cache_policy: RequestCachePolicy,
    ) -> tuple[dict[str, ReadEntry[RunDetails] | ServiceError], dict[str, ReadRun | ServiceError]]:
        questions: list[Callable[[], Any]] = [
            partial(self.run, run_id, cache_scope, context, cache_policy) for run_id in details_of
        ]
        if metrics_of:
            questions.append(partial(self.run_metrics, metrics_of, cache_scope, context, cache_policy))
        with waiting():
            answers = self._comparing.gather(questions, context.deadline)
        metrics = answers.pop() if metrics_of else {}
        if isinstance(metrics, ServiceError):
            metrics = dict.fromkeys(metrics_of, metrics)
        return dict(zip(details_of, answers, strict=True)), metrics

    def _read_one(
        self,
        key: str,
        fetch: Callable[[RequestContext], Fetched],
        kind: type[T],
        context: RequestContext,
        cache_policy: RequestCachePolicy,
        *,
        run_id: str = "",
    ) -> ReadEntry[T]:
        def fetch_all(keys: Sequence[str], deadline: Deadline) -> dict[str, Fetched | ServiceError]:
            try:
                return dict.fromkeys(keys, fetch(replace(context, deadline=deadline)))
            except ServiceError as error:
                return dict.fromkeys(keys, remembered_errors.of(error))

        found = self._reads.read([key], fetch_all, cache_policy, context.deadline)[key]
        if isinstance(found, ServiceError):
            raise found
        if found.header.outcome != VALUE:
            raise remembered_errors.error_of(found.header.outcome, run_id)

        return self._entry(found, kind)

    def _entry(self, found: Found, kind: type[T]) -> ReadEntry[T]:
        load = partial(self._content, found, lambda packed: codec.unpack(packed, kind))
        return ReadEntry(found.key, found.header.digest, found.provenance, load, found.snapshot)

    def _content(self, found: Found, unpack: Callable[[Packed], T]) -> T:
        packed = self._reads.body(found)
        if packed is None:
            raise ContentGone
        try:
            return unpack(packed)
        except NotAnEntry:
            raise ContentGone from None

    def _as_of(self, key: str, snapshot: Snapshot, unpack: Callable[[Packed], T]) -> T:
        packed = self._reads.snapshot(key, snapshot)
        if packed is None:
            raise CursorExpired
        try:
            return unpack(packed)
        except NotAnEntry:
            raise CursorExpired from None

    def fresh_entry(self, key: str, digest: bytes) -> Provenance | None:
        """See ``ReadThrough.fresh_entry``."""
        return self._reads.fresh_entry(key, digest)

    def close(self) -> None:
        self._reads.close()
        self._fan_out.close()
        self._comparing.close()

    def _key(self, kind: str, cache_scope: CacheScope, run_id: str) -> str:
        group = "" if kind == "capabilities" else cache_scope.resource_group
        return entry_key(kind, cache_scope.tenant, self._runtime.identity, group, cache_scope.caller or "", run_id)

    def _read_run(self, found: Found | ServiceError, run_id: str) -> ReadRun | ServiceError:
        if isinstance(found, ServiceError):
            return found
        if found.header.outcome != VALUE:
            return remembered_errors.error_of(found.header.outcome, run_id)
        load = partial(self._content, found, unpacked)
        return ReadRun(found.key, found.header.digest, found.provenance, load, found.snapshot)

    def _fetch_runs(
        self, run_of: Mapping[str, str], cache_scope: CacheScope, context: RequestContext
    ) -> dict[str, Fetched | ServiceError]:
        """Ask for runs, and beside them, where that is not known, whether the runtime has metrics at all."""
        supported = self._begin_supported(cache_scope, context)
        found = self._runtime.run_metrics(list(run_of.values()), cache_scope, context)
        if supported.result(context.deadline.sooner(_META_GRACE)) is False:
            return dict.fromkeys(run_of, Fetched(remembered_errors.UNSUPPORTED))
        return {key: fetched(found[run_id]) for key, run_id in run_of.items()}

    def _begin_supported(self, cache_scope: CacheScope, context: RequestContext) -> Task[bool, ServiceError]:
        def supported() -> bool:
            capabilities, found = self.capabilities(
                cache_scope, context, RequestCachePolicy(RequestDirectives(), time.time())
            )
            return capabilities.metrics or found.provenance.source not in _CURRENT

        return self._fan_out.begin(supported)

    def _fetch_capabilities(self, cache_scope: CacheScope, context: RequestContext) -> Fetched | ServiceError:
        try:
            found = self._runtime.capabilities(cache_scope, context)
        except BadGateway:
            return Fetched(remembered_errors.UNTOLD)
        except ServiceError as error:
            return error
        return Fetched(VALUE, may_change=not found.metrics, packed=codec.pack(found))


def fetched(outcome: RunMetrics | ServiceError) -> Fetched | ServiceError:
    """A run's metrics, or what their absence means, for the store."""
    if isinstance(outcome, RunMetrics):
        return Fetched(VALUE, outcome.may_change, packed(outcome.resource))
    return remembered_errors.of(outcome)


class _Stored(msgspec.Struct, frozen=True, array_like=True):
    """The first part: all but the points, and how many of them are in each of the parts that follow."""

    resource: MetricResource
    counts: list[Length]


def packed(resource: MetricResource) -> Packed:
    counts = [chunk.count for chunk in resource.metrics]
    first = _Stored(msgspec.structs.replace(resource, metrics=()), counts)
    return (msgspec.msgpack.encode(first), *(chunk.text for chunk in resource.metrics))


def unpacked(parts: Packed) -> MetricResource:
    """The resource; chunks are unpacked each time they are looked at, and raise ``ContentGone`` then.

    Raises ``NotAnEntry`` for parts that are no metric resource.
    """
    first = codec.unpack(parts, _Stored)
    if len(first.counts) != len(parts) - 1:
        raise NotAnEntry
    return msgspec.structs.replace(first.resource, metrics=Chunks(first.counts, lambda number: parts[number + 1]))
