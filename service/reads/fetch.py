"""One fetch for each key across all processes; it runs on a thread of the bulkhead."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence

from msgspec.structs import replace

from service.caching import codec
from service.caching.codec import Header
from service.caching.store import Entry, EntryStore
from service.concurrency.blocking import sleep
from service.concurrency.bounded_map import BoundedMap
from service.concurrency.deadline import Deadline
from service.domain.errors import Overloaded, RuntimeTimeout, RuntimeTrouble, ServiceError, TooSoon
from service.domain.freshness import RequestCachePolicy, Source
from service.reads.leases import Leased, Leases
from service.reads.pacing import Pacing
from service.reads.policy import TROUBLE_SECONDS, FreshnessPolicy
from service.reads.remembered_errors import error_named, name_of
from service.reads.results import VALUE, Fetched, FetchRequest, Found

Outcome = Found | ServiceError

_POLL_FIRST, _POLL_MOST = 0.02, 0.1
_MOST_TROUBLED = 10_000


class Fetching:
    """Fetches keys whose leases this process gets, and waits for the processes with the other leases."""

    def __init__(self, store: EntryStore, leases: Leases, pacing: Pacing, policy: FreshnessPolicy) -> None:
        self._store = store
        self._leases = leases
        self._pacing = pacing
        self._policy = policy
        self._failed_at: BoundedMap[str, float] = BoundedMap(_MOST_TROUBLED)

    def in_trouble(self, key: str) -> bool:
        """Whether the last fetch of ``key`` in this process has just failed, so that the next may fail, too."""
        failed_at = self._failed_at.get(key)
        return failed_at is not None and self._policy.now() - failed_at < TROUBLE_SECONDS

    def fetch(self, keys: Sequence[str], request: FetchRequest, granted: Deadline) -> Mapping[str, Outcome]:
        """The outcome of each key by ``granted``, the part of the request's time that the bulkhead grants."""
        if granted.expired:
            outcomes: dict[str, Outcome] = dict.fromkeys(keys, RuntimeTimeout())
        else:
            outcomes = self._fetch(keys, replace(request, deadline=granted))
        return (
            {key: _in_less_time(one) for key, one in outcomes.items()} if granted.at < request.deadline.at else outcomes
        )

    def _fetch(self, keys: Sequence[str], request: FetchRequest) -> dict[str, Outcome]:
        leased = self._leases.acquire(keys)
        try:
            results = self._fetch_now(leased, request)
        finally:
            self._leases.release(leased.keys)
        for key in keys:
            if key not in results:
                results[key] = self._await_other(key, request)
        return results

    def _fetch_now(self, leased: Leased, request: FetchRequest) -> dict[str, Outcome]:
        """Fetch the keys that nobody has fetched between the read of the store and the lease, and that may be fetched
        now."""
        cache_policy = request.cache_policy
        results: dict[str, Outcome] = {}
        keys, before = leased
        for key in keys:
            header = before.get(key)
            if header is not None and self._policy.usable(header, cache_policy) is Source.STORED:
                results[key] = self._of_another(key, header)
            elif cache_policy.paced and self._policy.forced(header, cache_policy):
                wait = self._pacing.begin(key, header.fetched_at if header is not None else None)
                if wait:
                    results[key] = TooSoon(wait)
        missing = [key for key in keys if key not in results]
        if missing:
            began, clock = self._policy.now(), time.perf_counter()
            outcomes = request.fetch(missing, request.deadline)
            seconds = time.perf_counter() - clock
            results |= self._keep(outcomes, before, cache_policy, began=began, seconds=seconds)
        return results

    def _keep(
        self,
        outcomes: Mapping[str, Fetched | ServiceError],
        before: Mapping[str, Header],
        cache_policy: RequestCachePolicy,
        *,
        began: float,
        seconds: float,
    ) -> dict[str, Outcome]:
        """Store what was fetched and release its leases, all in one step, and note what could not be fetched."""
        results: dict[str, Outcome] = {}
        entries: dict[str, Entry] = {}
        for key, outcome in outcomes.items():
            if isinstance(outcome, ServiceError):
                self._note_failure(key, outcome)
                results[key] = outcome
            else:
                self._failed_at.forget(key)
                entries[key] = self._entry(outcome, before.get(key), began)
        kept: Collection[str] = ()
        if not cache_policy.directives.no_store:
            kept = self._leases.save(
                {key: (entry, self._policy.kept_for(entry.header)) for key, entry in entries.items()}
            )
        for key, entry in entries.items():
            source = self._policy.cache_status(before.get(key), cache_policy)
            provenance = self._policy.provenance(entry.header, source, kept=key in kept, upstream=seconds)
            results[key] = Found(key, entry.header, provenance, entry.packed)
        return results

    def _entry(self, fetched: Fetched, before: Header | None, began: float) -> Entry:
        parts = codec.parts_of(fetched.packed)
        digest = codec.digest_of_parts(parts)
        ended_until = 0.0 if fetched.outcome == VALUE else self._policy.ended_until(before)
        size = sum(part.length for part in parts)
        header = Header(fetched.outcome, fetched.may_change, began, digest, size, ended_until, fetched.status)
        return Entry(header, fetched.packed, parts)

    def _of_another(self, key: str, header: Header) -> Found:
        """An entry that another process has just fetched."""
        return Found(key, header, self._policy.provenance(header, Source.STORED, shared=True))

    def _note_failure(self, key: str, error: ServiceError) -> None:
        if isinstance(error, RuntimeTrouble):
            self._failed_at.keep(key, self._policy.now())
        else:
            self._failed_at.forget(key)
        self._store.note_failure(key, name_of(error), self._policy.now())

    def _await_other(self, key: str, request: FetchRequest) -> Outcome:
        """Wait for the process that holds the lease, and take over where it releases it without an answer."""
        since, pause = self._policy.now(), _POLL_FIRST
        while not request.deadline.expired:
            sleep(min(pause, request.deadline.remaining()))
            pause = min(pause * 1.5, _POLL_MOST)
            header = self._store.headers([key], latest=True).get(key)
            if header is not None and self._policy.usable(header, request.cache_policy) is Source.STORED:
                return self._of_another(key, header)
            failure = self._store.failure(key, since)
            if failure is not None:
                return error_named(failure)
            leased = self._leases.acquire([key])
            if leased.keys:
                try:
                    failure = self._store.failure(key, since)  # noted between that read and the lease
                    return error_named(failure) if failure else self._fetch_now(leased, request)[key]
                finally:
                    self._leases.release([key])
        return RuntimeTimeout()


def _in_less_time(outcome: Outcome) -> Outcome:
    """The outcome, where a timeout within a part of the time becomes an overload: there was no slow place."""
    if isinstance(outcome, RuntimeTimeout):
        return Overloaded("many answers of the AI runtime are slow, and this one takes too long")
    return outcome
