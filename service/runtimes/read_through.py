"""Reads that go through the store: fresh answers from there, all others from the runtime, once.

What a read may find, in this order: a stored answer that is fresh enough for the caller; a stale one that is given
while it is refreshed behind it; a fetch under way, in this process or another, to wait for; a fetch of its own; and,
where the runtime fails, the last good answer for as long as ``stale_if_error`` allows.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass, replace

from service.caching import codec
from service.caching.codec import Header, Packed
from service.caching.directives import RequestDirectives, satisfies
from service.caching.freshness import Freshness, Kind, Lifetimes, State, judge
from service.caching.store import Entry, EntryStore
from service.domain.deadlines import Deadline
from service.domain.errors import OnlyIfCached, Overloaded, RuntimeTimeout, RuntimeTrouble, ServiceError
from service.domain.reading import Provenance, Snapshot, Source
from service.domain.waiting import waiting
from service.runtimes.failures import error_named, name_of
from service.runtimes.flights import Flight, Flights
from service.runtimes.leases import Leases
from service.telemetry.metrics import Telemetry

VALUE = "value"
_POLL_FIRST, _POLL_MOST = 0.02, 0.1
_MOST_TROUBLED = 10_000


@dataclass(frozen=True, slots=True)
class Demand:
    """What the caller wants of a stored answer. ``asked_at`` in seconds since the epoch."""

    directives: RequestDirectives
    asked_at: float

    @classmethod
    def anew(cls) -> Demand:
        """What is fetched from now on, nothing stored before."""
        return cls(RequestDirectives(no_cache=True), time.time())


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a fetch brought: ``VALUE`` with its packed body, or the name of what there is instead."""

    outcome: str
    may_change: bool = True
    packed: Packed = ()


@dataclass(frozen=True, slots=True)
class Found:
    """A read's result. ``packed`` is the body where it is at hand, otherwise ``ReadThrough.body`` loads it."""

    key: str
    header: Header
    provenance: Provenance
    packed: Packed | None = None

    @property
    def snapshot(self) -> Snapshot:
        header = self.header
        return Snapshot(header.digest, header.size, header.fetched_at, header.may_change)


@dataclass(frozen=True, slots=True)
class _Landed:
    header: Header
    packed: Packed | None
    kept: bool
    shared: bool
    seconds: float | None = None


Fetch = Callable[[Sequence[str]], Mapping[str, Fetched | ServiceError]]


class ReadThrough:
    """Reads entries by key. Safe from any thread."""

    def __init__(
        self,
        store: EntryStore,
        leases: Leases,
        *,
        lifetimes: Lifetimes,
        fetches: int,
        telemetry: Telemetry,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._leases = leases
        self._flights: Flights[_Landed] = Flights(fetches)
        self._lifetimes = lifetimes
        self._telemetry = telemetry
        self._now = now
        self._troubled: dict[str, None] = {}

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
            results[key] = Found(key, header, self._provenance(header, source))
            if source is not Source.STORED:
                refresh.append(key)
        if refresh:
            self._refresh(refresh, fetch, deadline)
        if missing:
            results.update(self._fetch(missing, stored, fetch, demand, deadline))
        for found in results.values():
            self._telemetry.cache_outcome(found.provenance.source if isinstance(found, Found) else "error")
        return results

    def snapshot(self, key: str, named: Snapshot) -> Found | None:
        """The content that was under ``key`` once, whatever is there now; ``None`` where it is stored no more."""
        header = Header(VALUE, named.may_change, named.fetched_at, named.digest, named.size)
        packed = self._store.body(key, header, current=False)
        return None if packed is None else Found(key, header, self._provenance(header, Source.STORED), packed)

    def still(self, key: str, digest: bytes) -> Provenance | None:
        """How fresh a stored entry is, if it is fresh and holds the content of that digest; nothing is fetched."""
        header = self._store.headers([key]).get(key)
        if header is None or header.digest != digest or header.outcome != VALUE:
            return None
        if self._freshness(header).state is not State.FRESH:
            return None
        self._telemetry.cache_outcome(Source.STORED)
        return self._provenance(header, Source.STORED)

    def body(self, found: Found) -> Packed | None:
        """The packed body of what was found; ``None`` where it has gone since."""
        return found.packed if found.packed is not None else self._store.body(found.key, found.header)

    def close(self) -> None:
        self._flights.close()

    # --- what may be given from the store

    def _usable(self, key: str, header: Header, demand: Demand) -> Source | None:
        if demand.directives.no_cache:
            return Source.STORED if header.fetched_at >= demand.asked_at else None
        freshness = self._freshness(header)
        if satisfies(freshness, demand.directives):
            return Source.STORED if freshness.state is State.FRESH else Source.STORED_REVALIDATING
        if key in self._troubled and self._may_stand_in(header, demand):
            return Source.STORED_ON_ERROR
        return None

    def _may_stand_in(self, header: Header | None, demand: Demand) -> bool:
        """Whether a stored answer may be given in place of an error (RFC 5861, 4)."""
        return (
            header is not None
            and header.outcome == VALUE
            and not demand.directives.no_cache
            and self._freshness(header).state is not State.EXPIRED
        )

    def _freshness(self, header: Header) -> Freshness:
        return judge(kind_of(header), header.fetched_at, self._now(), self._lifetimes)

    def _provenance(self, header: Header, source: Source, landed: _Landed | None = None) -> Provenance:
        freshness = self._freshness(header)
        lifetime = self._lifetimes.fresh_for(kind_of(header))
        stored = Provenance(source, freshness.age, freshness.ttl, lifetime)
        if landed is None:
            return stored
        return replace(stored, kept=landed.kept, shared=landed.shared, upstream=landed.seconds)

    # --- what has to be fetched

    def _refresh(self, keys: Sequence[str], fetch: Fetch, deadline: Deadline) -> None:
        demand = Demand(RequestDirectives(), self._now())
        try:
            self._flights.join(keys, lambda fresh: self._fly(fresh, fetch, demand, deadline))
        except Overloaded:
            return

    def _fetch(
        self, keys: Sequence[str], stored: Mapping[str, Header], fetch: Fetch, demand: Demand, deadline: Deadline
    ) -> dict[str, Found | ServiceError]:
        if demand.directives.only_if_cached:
            return {key: OnlyIfCached() for key in keys}
        results: dict[str, Found | ServiceError] = {}
        pending = list(keys)
        while pending:
            landed = self._land(pending, fetch, demand, deadline)
            pending = [key for key in pending if landed[key] is None]
            for key, outcome in landed.items():
                if outcome is not None:
                    results[key] = self._result(key, outcome, stored.get(key), demand)
        return results

    def _land(
        self, keys: Sequence[str], fetch: Fetch, demand: Demand, deadline: Deadline
    ) -> dict[str, _Landed | ServiceError | None]:
        """Join or begin the fetch of each key and wait for it; ``None`` for one that began too early to count."""
        try:
            joined = self._flights.join(keys, lambda fresh: self._fly(fresh, fetch, demand, deadline))
        except Overloaded as error:
            return dict.fromkeys(keys, error)
        return {key: self._wait(*joined[key], demand, deadline) for key in keys}

    def _wait(
        self, flight: Flight[_Landed], joined: bool, demand: Demand, deadline: Deadline
    ) -> _Landed | ServiceError | None:
        if joined:
            self._telemetry.flight_wait()
        try:
            with waiting():
                outcome = flight.landed.result(timeout=deadline.remaining())
        except FutureTimeout:
            return RuntimeTimeout()
        except Overloaded as error:
            return error
        if joined and demand.directives.no_cache and not deadline.expired:
            began = outcome.header.fetched_at if isinstance(outcome, _Landed) else flight.began_at
            if began < demand.asked_at:
                return None
        if joined and isinstance(outcome, _Landed):
            return replace(outcome, shared=True)
        return outcome

    def _result(
        self, key: str, outcome: _Landed | ServiceError, before: Header | None, demand: Demand
    ) -> Found | ServiceError:
        if isinstance(outcome, _Landed):
            source = self._source(before, demand)
            provenance = self._provenance(outcome.header, source, outcome)
            return Found(key, outcome.header, provenance, outcome.packed)
        if (
            before is not None
            and isinstance(outcome, (RuntimeTrouble, Overloaded))
            and self._may_stand_in(before, demand)
        ):
            return Found(key, before, self._provenance(before, Source.STORED_ON_ERROR))
        return outcome

    def _source(self, before: Header | None, demand: Demand) -> Source:
        if demand.directives.no_cache:
            return Source.FETCHED_ON_REQUEST
        if before is None:
            return Source.FETCHED_NEW
        fresh = self._freshness(before).state is State.FRESH
        return Source.FETCHED_ON_REQUEST if fresh else Source.FETCHED_OVER_STALE

    # --- inside a flight, on a thread of its own

    def _fly(
        self, keys: Sequence[str], fetch: Fetch, demand: Demand, deadline: Deadline
    ) -> dict[str, _Landed | ServiceError]:
        mine = [key for key in keys if self._leases.acquire(key)]
        try:
            results = self._fetch_now(mine, fetch, demand)
        finally:
            self._leases.release(mine)
        for key in keys:
            if key not in results:
                results[key] = self._await_other(key, fetch, demand, deadline)
        return results

    def _fetch_now(self, keys: Sequence[str], fetch: Fetch, demand: Demand) -> dict[str, _Landed | ServiceError]:
        """Fetch what nobody fetched between the look into the store and the lease."""
        results: dict[str, _Landed | ServiceError] = {}
        for key, header in self._store.headers(keys, latest=True).items():
            if self._usable(key, header, demand) is Source.STORED:
                results[key] = _Landed(header, None, kept=True, shared=True)
        missing = [key for key in keys if key not in results]
        if missing:
            began = self._now()
            clock = time.perf_counter()
            outcomes = fetch(missing)
            seconds = time.perf_counter() - clock
            for key, outcome in outcomes.items():
                results[key] = self._keep(key, outcome, began, demand, seconds)
        return results

    def _keep(
        self, key: str, outcome: Fetched | ServiceError, began: float, demand: Demand, seconds: float
    ) -> _Landed | ServiceError:
        if isinstance(outcome, ServiceError):
            self._note_failure(key, outcome)
            return outcome
        self._troubled.pop(key, None)
        digest = codec.digest_of(outcome.packed)
        header = Header(outcome.outcome, outcome.may_change, began, digest, codec.size_of(outcome.packed))
        kept = not demand.directives.no_store
        if kept:
            kept = self._store.save(key, Entry(header, outcome.packed), self._kept_for(header))
        return _Landed(header, outcome.packed, kept, shared=False, seconds=seconds)

    def _kept_for(self, header: Header) -> float:
        """What is not there any more is noted for as long as a stale answer in its place could come up again."""
        return max(self._lifetimes.kept_for(kind) for kind in (kind_of(header), Kind.ENDED))

    def _note_failure(self, key: str, error: ServiceError) -> None:
        if isinstance(error, RuntimeTrouble):
            if len(self._troubled) >= _MOST_TROUBLED:
                self._troubled.clear()
            self._troubled[key] = None
        else:
            self._troubled.pop(key, None)
        self._store.note_failure(key, name_of(error), self._now())

    def _await_other(self, key: str, fetch: Fetch, demand: Demand, deadline: Deadline) -> _Landed | ServiceError:
        """Wait for the process that holds the lease; take over when it lets go without an answer."""
        since, pause = self._now(), _POLL_FIRST
        while not deadline.expired:
            time.sleep(min(pause, deadline.remaining()))
            pause = min(pause * 1.5, _POLL_MOST)
            header = self._store.headers([key], latest=True).get(key)
            if header is not None and self._usable(key, header, demand) is Source.STORED:
                return _Landed(header, None, kept=True, shared=True)
            failure = self._store.failure(key, since)
            if failure is not None:
                return error_named(failure)
            if self._leases.acquire(key):
                try:
                    failure = self._store.failure(key, since)  # told between that look and the lease
                    return error_named(failure) if failure else self._fetch_now([key], fetch, demand)[key]
                finally:
                    self._leases.release([key])
        return RuntimeTimeout()


def kind_of(header: Header) -> Kind:
    if header.outcome != VALUE:
        return Kind.ABSENT
    return Kind.CHANGING if header.may_change else Kind.ENDED
