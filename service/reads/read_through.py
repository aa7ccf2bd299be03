"""Read-through caching: fresh answers from the store, all others from the runtime, once.

The result of a read is, in this order: a stored answer that is fresh enough for the caller; a stale one, refreshed in
the background; a fetch in progress, in this process or another; a fetch of its own; and, where the runtime fails, the
last good answer for as long as ``stale_if_error`` allows.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import CancelledError, Future
from dataclasses import replace
from functools import partial

from msgspec import structs

from service.caching.codec import ContentGone, Header, Packed, digest_of_parts, parts_of, size_of
from service.caching.store import Entry, EntryStore
from service.concurrency.blocking import sleep, waiting
from service.concurrency.deadline import Deadline
from service.concurrency.single_flight import Flight, SingleFlight, StillUnderWay
from service.domain.errors import OnlyIfCached, Overloaded, RuntimeTimeout, ServiceError, TooSoon
from service.domain.freshness import Provenance, RequestCachePolicy, Snapshot, Source
from service.reads.bulkhead import Bulkhead
from service.reads.fetch import Fetching, Outcome
from service.reads.leases import Leases
from service.reads.pacing import Pacing
from service.reads.policy import FreshnessPolicy, Lifetimes, counts_for
from service.reads.results import VALUE, Fetch, FetchRequest, Found, Pending
from service.telemetry.prometheus import Telemetry

MOST_PAUSING = 128
"""The most readers of a process that wait for a forced fetch, so that other waiting requests find places, too."""

_NEVER: Mapping[str, float] = {}


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
        self._bulkhead = bulkhead
        self._flights: SingleFlight[Outcome] = SingleFlight()
        self._telemetry = telemetry
        self._sleep = sleep
        self._pauses = threading.Semaphore(MOST_PAUSING)

    def read(
        self,
        keys: Sequence[str],
        fetch: Fetch,
        cache_policy: RequestCachePolicy,
        deadline: Deadline,
        ended_at: Mapping[str, float] = _NEVER,
    ) -> dict[str, Found | ServiceError]:
        """Read entries by ``deadline``; see ``begin``."""
        return self.begin(keys, fetch, cache_policy, deadline, ended_at)(deadline)

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
        usable: dict[str, Found] = {}
        refresh, missing = [], []
        for key in keys:
            found = self._usable(key, stored.get(key), cache_policy, ended_at.get(key))
            if found is None:
                missing.append(key)
                continue
            usable[key] = found
            if found.provenance.source is not Source.STORED:
                refresh.append(key)
        if refresh:
            self._refresh(refresh, request)
        fetched = self._begin_fetch(missing, stored, request) if missing else None

        def result(until: Deadline) -> dict[str, Found | ServiceError]:
            results: dict[str, Found | ServiceError] = {**usable, **(fetched(until) if fetched is not None else {})}
            for found in results.values():
                if not isinstance(found, TooSoon):
                    self._telemetry.cache_outcome(found.provenance.source if isinstance(found, Found) else "error")
            return results

        return result

    def _usable(
        self, key: str, header: Header | None, cache_policy: RequestCachePolicy, ended_at: float | None
    ) -> Found | None:
        """The stored entries that may be served."""
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

    def pause(self, soon: Iterable[TooSoon], deadline: Deadline) -> Overloaded | None:
        """Wait without a slot until all of these may be fetched.

        Returns an error where that would take too long, or too many threads wait already.
        """
        longest = max(soon, key=lambda one: one.seconds)
        try:
            if longest.seconds >= deadline.remaining() or not self._pauses.acquire(blocking=False):
                raise longest
            try:
                with waiting():
                    self._sleep(longest.seconds)
            finally:
                self._pauses.release()
        except Overloaded as error:
            self._telemetry.refusal("overloaded")
            return error
        return None

    def close(self) -> None:
        self._bulkhead.close()

    def _refresh(self, keys: Sequence[str], request: FetchRequest) -> None:
        """Begin to refresh the keys in the background, whatever else the request allows."""
        try:
            self._join(keys, replace(request, cache_policy=RequestCachePolicy(asked_at=self._policy.now())))
        except Overloaded:
            self._telemetry.refusal("refresh")

    def _join(self, keys: Sequence[str], request: FetchRequest) -> dict[str, tuple[Flight[Outcome], bool]]:
        """The fetch of each key, and whether it was in progress. Raises ``Overloaded`` where no other may begin."""

        def begin(fresh: tuple[str, ...]) -> Future[Mapping[str, Outcome]]:
            return self._bulkhead.begin(fresh, request.deadline, partial(self._fetching.fetch, fresh, request))

        return self._flights.join(keys, begin)

    def _begin_fetch(
        self, keys: Sequence[str], stored: Mapping[str, Header], request: FetchRequest
    ) -> Pending[dict[str, Found | ServiceError]]:
        cache_policy = request.cache_policy
        if cache_policy.directives.only_if_cached:
            return lambda _: {key: OnlyIfCached() for key in keys}
        first = self._begin_or_refuse(keys, request)

        def result(until: Deadline) -> dict[str, Found | ServiceError]:
            results: dict[str, Found | ServiceError] = {}
            outcomes = first(until)
            while outcomes:
                soon = [outcome for outcome in outcomes.values() if isinstance(outcome, TooSoon)]
                refusal = self.pause(soon, until) if soon and cache_policy.waits else None
                pending = []
                for key, outcome in outcomes.items():
                    if outcome is None or (isinstance(outcome, TooSoon) and cache_policy.waits and refusal is None):
                        pending.append(key)
                    elif isinstance(outcome, TooSoon) and not cache_policy.waits:
                        results[key] = outcome
                    else:
                        results[key] = self._result(key, outcome, stored.get(key), cache_policy)
                outcomes = self._begin_or_refuse(pending, request)(until) if pending else {}
            return results

        return result

    def _begin_or_refuse(self, keys: Sequence[str], request: FetchRequest) -> Pending[dict[str, Outcome | None]]:
        """Join or begin the fetch of each key; the outcome is ``None`` for one that began too early to count."""
        try:
            joined = self._join(keys, request)
        except Overloaded as error:
            refusal = error
            self._telemetry.refusal("overloaded")
            return lambda _: dict.fromkeys(keys, refusal)
        return lambda until: {key: self._wait(*joined[key], request.cache_policy, until) for key in keys}

    def _wait(
        self, flight: Flight[Outcome], joined: bool, cache_policy: RequestCachePolicy, deadline: Deadline
    ) -> Outcome | None:
        if joined:
            self._telemetry.flight_wait()
        try:
            outcome = flight.result(deadline.remaining())
        except StillUnderWay:
            return RuntimeTimeout()
        except CancelledError:
            return Overloaded("the service is shutting down")
        except Overloaded as error:
            self._telemetry.refusal("overloaded")
            return error
        if isinstance(outcome, TooSoon):  # for the reader that forces it; others that have joined may fetch
            return outcome if not joined or cache_policy.directives.no_cache else None
        if joined and not deadline.expired:
            began = outcome.header.fetched_at if isinstance(outcome, Found) else flight.began_at
            if not counts_for(began, cache_policy):
                return None
        if joined and isinstance(outcome, Found):
            return structs.replace(outcome, provenance=structs.replace(outcome.provenance, shared=True))
        return outcome

    def _result(
        self, key: str, outcome: Outcome, before: Header | None, cache_policy: RequestCachePolicy
    ) -> Found | ServiceError:
        """The outcome for this reader, with its present age and its own provenance, as others may have fetched it."""
        if isinstance(outcome, Found):
            by = outcome.provenance
            source = self._policy.cache_status(before, cache_policy)
            provenance = self._policy.provenance(
                outcome.header, source, kept=by.kept, shared=by.shared, upstream=by.upstream
            )
            return structs.replace(outcome, provenance=provenance)
        if before is not None and self._policy.may_serve_stale_on_error(before, outcome, cache_policy):
            return Found(key, before, self._policy.provenance(before, Source.STORED_ON_ERROR))
        return outcome
