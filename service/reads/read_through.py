"""Read-through caching: fresh answers from the store, all others from the runtime, once.

The result of a read is, in this order: a stored answer that is fresh enough for the caller; a stale one, refreshed in
the background; a fetch in progress, in this process or another; a fetch of its own; and, where the runtime fails, the
last good answer for as long as ``stale_if_error`` allows.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

from service.caching.codec import ContentGone, Header, Packed, digest_of_parts, parts_of, size_of
from service.caching.store import Entry, EntryStore
from service.concurrency.blocking import sleep
from service.concurrency.deadline import Deadline
from service.concurrency.pending import Pending
from service.domain.errors import OnlyIfCached, ServiceError, TooSoon
from service.domain.freshness import Provenance, RequestCachePolicy, Snapshot, Source
from service.reads.bulkhead import Bulkhead
from service.reads.fetch import Fetching
from service.reads.leases import Leases
from service.reads.pacing import Pacing
from service.reads.policy import FreshnessPolicy, Lifetimes
from service.reads.results import VALUE, Fetch, FetchRequest, Found
from service.reads.shared_fetches import SharedFetches
from service.telemetry.prometheus import Telemetry

_NEVER: Mapping[str, float] = {}
_NOTHING: Pending[dict[str, Found | ServiceError]] = Pending(lambda _: {})


class ReadThrough:
    """Reads entries by key. Thread-safe."""

    def __init__(
        self,
        store: EntryStore,
        leases: Leases,
        pacing: Pacing,
        *,
        lifetimes: Lifetimes,
        bulkhead: Bulkhead,
        telemetry: Telemetry,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = sleep,
    ) -> None:
        self._store = store
        self._policy = FreshnessPolicy(lifetimes, now)
        self._fetching = Fetching(store, leases, pacing, self._policy)
        self.fetches = SharedFetches(self._fetching, self._policy, bulkhead, telemetry, sleep)
        self._telemetry = telemetry

    def begin(
        self,
        keys: Sequence[str],
        fetch: Fetch,
        cache_policy: RequestCachePolicy,
        deadline: Deadline,
        ended_at: Mapping[str, float] = _NEVER,
    ) -> Pending[dict[str, Found | ServiceError]]:
        """Read the store, and begin to fetch what is missing, by ``deadline``, without waiting for it.

        The result has what was found for each key, or its error. ``ended_at`` has the ends of runs, of which any stored
        answer fetched later may be served (``FreshnessPolicy.settled``).
        """
        request = FetchRequest(fetch, cache_policy, deadline)
        stored = self._store.headers(keys)
        known: dict[str, Found | ServiceError] = {}
        refresh, missing = [], []
        for key in keys:
            found = self._usable(key, stored.get(key), cache_policy, ended_at.get(key))
            if found is not None:
                known[key] = found
                if found.provenance.source is not Source.STORED:
                    refresh.append(key)
            elif cache_policy.directives.only_if_cached:
                known[key] = OnlyIfCached()
            else:
                missing.append(key)
        if refresh:
            self.fetches.refresh(refresh, request)
        fetched = self.fetches.begin(missing, stored, request) if missing else _NOTHING
        return fetched.map(partial(self._counted, known))

    def _counted(
        self, known: dict[str, Found | ServiceError], fetched: Mapping[str, Found | ServiceError]
    ) -> dict[str, Found | ServiceError]:
        """All results of a read, counted, except for those that the reader asks for again."""
        results = {**known, **fetched}
        for found in results.values():
            if not isinstance(found, TooSoon):
                self._telemetry.cache_outcome(found.provenance.source if isinstance(found, Found) else "error")
        return results

    def _usable(
        self, key: str, header: Header | None, cache_policy: RequestCachePolicy, ended_at: float | None
    ) -> Found | None:
        """The stored entry, if it may be served."""
        if header is None:
            return None
        settled = self._policy.settled(header, ended_at)
        source = self._policy.usable(header, cache_policy, settled=settled is not None)
        if source is None and self._fetching.in_trouble(key):
            source = self._policy.usable(header, cache_policy, in_trouble=True)
        if source is None:
            return None
        if settled is not None and source is Source.STORED:
            return Found(key, header, settled)
        return Found(key, header, self._policy.provenance(header, source))

    def fresh(
        self, keys: Sequence[str], cache_policy: RequestCachePolicy, ended_at: Mapping[str, float] = _NEVER
    ) -> dict[str, Found]:
        """The stored entries that are fresh enough for the caller; nothing is fetched or refreshed."""
        fresh: dict[str, Found] = {}
        for key, header in self._store.headers(keys).items():
            found = self._usable(key, header, cache_policy, ended_at.get(key))
            if found is not None and found.provenance.source is Source.STORED:
                fresh[key] = found
        self._telemetry.cache_outcome(Source.STORED, len(fresh))
        return fresh

    def snapshot(self, key: str, named: Snapshot) -> Packed | None:
        """An earlier content of ``key``, which may have been replaced since; ``None`` where it is no longer stored."""
        header = Header(VALUE, may_change=True, fetched_at=0.0, digest=named.digest, size=named.size)
        packed = self._store.body(key, header, current=False)
        if packed is not None and len(packed) > 1:
            try:
                _ = packed[-1]
            except ContentGone:  # only its first part is left
                return None
        return packed

    def fresh_entry(self, key: str, digest: bytes, *, at_hand_only: bool = False) -> Provenance | None:
        """The freshness of a stored entry, if it is fresh and has the content of that digest; nothing is fetched.

        ``at_hand_only``: the shared cache is not read either.
        """
        header = self._store.header_at_hand(key) if at_hand_only else self._store.headers([key]).get(key)
        if header is None or header.digest != digest or header.outcome != VALUE or not self._policy.fresh(header):
            return None
        self._telemetry.cache_outcome(Source.STORED)
        return self._policy.provenance(header, Source.STORED)

    def stored(self, key: str) -> Found | None:
        """The stored entry of ``key``, however old; nothing is fetched."""
        header = self._store.headers([key]).get(key)
        return None if header is None else Found(key, header, self._policy.provenance(header, Source.STORED))

    def body(self, found: Found) -> Packed | None:
        """The packed body of what was found; ``None`` where it has left the store since."""
        return found.packed if found.packed is not None else self._store.body(found.key, found.header)

    def derived(self, keys: Iterable[str]) -> dict[str, Packed]:
        """Stored values derived from entries, by keys that name their content."""
        return self._store.bodies(list(keys))

    def keep_derived(self, key: str, packed: Packed, fetched_at: float) -> None:
        """Store a value derived from an entry that was fetched then, for as long as the entry may be stored."""
        parts = parts_of(packed)
        digest, size = digest_of_parts(parts), size_of(packed)
        header = Header(VALUE, may_change=False, fetched_at=fetched_at, digest=digest, size=size)
        self._store.save_derived(key, Entry(header, packed, parts), self._policy.kept_for(header))

    def close(self) -> None:
        self.fetches.close()
