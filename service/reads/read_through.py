"""Reads that go through the store: fresh answers from there, all others from the runtime, once.

What a read may find, in this order: a stored answer that is fresh enough for the caller; a stale one that is given
while it is refreshed behind it; a fetch under way, in this process or another, to wait for; a fetch of its own; and,
where the runtime fails, the last good answer for as long as ``stale_if_error`` allows.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import replace

from service.caching.codec import ContentGone, Header, Packed
from service.caching.store import EntryStore
from service.concurrency.blocking import sleep, waiting
from service.concurrency.deadline import Deadline
from service.domain.errors import OnlyIfCached, Overloaded, RuntimeTimeout, RuntimeTrouble, ServiceError, TooSoon
from service.domain.reading import Demand, Provenance, RequestDirectives, Snapshot, Source
from service.reads.bulkhead import Lanes
from service.reads.fetch import Fetching, Outcome
from service.reads.leases import Leases
from service.reads.model import VALUE, Fetch, Fetched, Found, Landed
from service.reads.pacing import Pacing
from service.reads.policy import Judgement, Lifetimes
from service.reads.single_flight import Flight, Flights
from service.telemetry.metrics import Telemetry

__all__ = ["VALUE", "Demand", "Fetch", "Fetched", "Found", "ReadThrough"]

MOST_PAUSING = 128
"""Readers of a process that may wait for the next forced fetch at once; others are to find places to wait, too."""


class ReadThrough:
    """Reads entries by key. Safe from any thread."""

    def __init__(
        self,
        store: EntryStore,
        leases: Leases,
        pacing: Pacing,
        *,
        lifetimes: Lifetimes,
        lanes: Lanes,
        telemetry: Telemetry,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = sleep,
    ) -> None:
        self._store = store
        self._judgement = Judgement(lifetimes, now)
        self._fetching = Fetching(store, leases, pacing, self._judgement)
        self._flights: Flights[Landed] = Flights(lanes)
        self._telemetry = telemetry
        self._sleep = sleep
        self._pauses = threading.Semaphore(MOST_PAUSING)

    def read(
        self, keys: Sequence[str], fetch: Fetch, demand: Demand, deadline: Deadline
    ) -> dict[str, Found | ServiceError]:
        """For each key what was found, or why nothing could be."""
        stored = self._store.headers(keys)
        results: dict[str, Found | ServiceError] = {}
        refresh, missing = [], []
        for key in keys:
            header = stored.get(key)
            source = None if header is None else self._usable(key, header, demand)
            if header is None or source is None:
                missing.append(key)
                continue
            results[key] = Found(key, header, self._judgement.provenance(header, source))
            if source is not Source.STORED:
                refresh.append(key)
        if refresh:
            self._refresh(refresh, fetch, deadline)
        if missing:
            results.update(self._fetch(missing, stored, fetch, demand, deadline))
        for found in results.values():
            if not isinstance(found, TooSoon):
                self._telemetry.cache_outcome(found.provenance.source if isinstance(found, Found) else "error")
        return results

    def snapshot(self, key: str, named: Snapshot) -> Packed | None:
        """The content that was under ``key`` once, whatever is there now; ``None`` where it is stored no more."""
        header = Header(VALUE, may_change=True, fetched_at=0.0, digest=named.digest, size=named.size)
        packed = self._store.body(key, header, current=False)
        if packed is not None and len(packed) > 1:
            try:
                _ = packed[-1]
            except ContentGone:  # only its first part is left
                return None
        return packed

    def still(self, key: str, digest: bytes) -> Provenance | None:
        """How fresh a stored entry is, if it is fresh and holds the content of that digest; nothing is fetched."""
        header = self._store.headers([key]).get(key)
        if header is None or header.digest != digest or header.outcome != VALUE or not self._judgement.fresh(header):
            return None
        self._telemetry.cache_outcome(Source.STORED)
        return self._judgement.provenance(header, Source.STORED)

    def body(self, found: Found) -> Packed | None:
        """The packed body of what was found; ``None`` where it has gone since."""
        return found.packed if found.packed is not None else self._store.body(found.key, found.header)

    def pause(self, soon: Iterable[TooSoon], deadline: Deadline) -> Overloaded | None:
        """Wait, beside the working threads, until all of these may be fetched.

        Returns why not, where that would be too long, or too many wait so.
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
        self._flights.close()

    def _usable(self, key: str, header: Header, demand: Demand) -> Source | None:
        source = self._judgement.usable(header, demand)
        if source is None and self._fetching.in_trouble(key) and self._judgement.may_stand_in(header, demand):
            return Source.STORED_ON_ERROR
        return source

    def _refresh(self, keys: Sequence[str], fetch: Fetch, deadline: Deadline) -> None:
        demand = Demand(RequestDirectives(), self._judgement.now())
        try:
            self._flights.join(keys, self._flight(fetch, demand), deadline)
        except Overloaded:
            self._telemetry.refusal("refresh")

    def _flight(self, fetch: Fetch, demand: Demand) -> Callable[[Sequence[str], Deadline], dict[str, Outcome]]:
        return lambda keys, deadline: self._fetching.fetch(keys, fetch, demand, deadline)

    def _fetch(
        self, keys: Sequence[str], stored: Mapping[str, Header], fetch: Fetch, demand: Demand, deadline: Deadline
    ) -> dict[str, Found | ServiceError]:
        if demand.directives.only_if_cached:
            return {key: OnlyIfCached() for key in keys}
        results: dict[str, Found | ServiceError] = {}
        pending = list(keys)
        while pending:
            landed = self._land(pending, fetch, demand, deadline)
            soon = [outcome for outcome in landed.values() if isinstance(outcome, TooSoon)]
            refusal = self.pause(soon, deadline) if soon and demand.waits else None
            pending = []
            for key, outcome in landed.items():
                if outcome is None or (isinstance(outcome, TooSoon) and demand.waits and refusal is None):
                    pending.append(key)
                elif isinstance(outcome, TooSoon) and not demand.waits:
                    results[key] = outcome
                else:
                    results[key] = self._result(key, outcome, stored.get(key), demand)
        return results

    def _land(self, keys: Sequence[str], fetch: Fetch, demand: Demand, deadline: Deadline) -> dict[str, Outcome | None]:
        """Join or begin the fetch of each key and wait for it; ``None`` for one that began too early to count."""
        try:
            joined = self._flights.join(keys, self._flight(fetch, demand), deadline)
        except Overloaded as error:
            self._telemetry.refusal("overloaded")
            return dict.fromkeys(keys, error)
        return {key: self._wait(*joined[key], demand, deadline) for key in keys}

    def _wait(self, flight: Flight[Landed], joined: bool, demand: Demand, deadline: Deadline) -> Outcome | None:
        if joined:
            self._telemetry.flight_wait()
        try:
            with waiting():
                outcome = flight.landed.result(timeout=deadline.remaining())
        except FutureTimeout:
            return RuntimeTimeout()
        except Overloaded as error:
            self._telemetry.refusal("overloaded")
            return error
        if isinstance(outcome, TooSoon):  # to whoever forces it; others that have joined may fetch
            return outcome if not joined or demand.directives.no_cache else None
        if joined and demand.directives.no_cache and not deadline.expired:
            began = outcome.header.fetched_at if isinstance(outcome, Landed) else flight.began_at
            if began < demand.asked_at:
                return None
        if joined and isinstance(outcome, Landed):
            return replace(outcome, shared=True)
        return outcome

    def _result(
        self, key: str, outcome: Landed | ServiceError, before: Header | None, demand: Demand
    ) -> Found | ServiceError:
        if isinstance(outcome, Landed):
            source = self._judgement.fetched_as(before, demand)
            provenance = self._judgement.provenance(outcome.header, source, outcome)
            return Found(key, outcome.header, provenance, outcome.packed)
        if (
            before is not None
            and isinstance(outcome, (RuntimeTrouble, Overloaded))
            and self._judgement.may_stand_in(before, demand)
        ):
            return Found(key, before, self._judgement.provenance(before, Source.STORED_ON_ERROR))
        return outcome
