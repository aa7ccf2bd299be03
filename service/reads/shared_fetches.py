"""Fetches that are shared by all readers of this process: each key is fetched once at a time, in the bulkhead."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import CancelledError, Future
from functools import partial

from msgspec import structs
from msgspec.structs import replace

from service.caching.codec import Header
from service.concurrency.blocking import waiting
from service.concurrency.deadline import Deadline
from service.concurrency.pending import Pending
from service.concurrency.single_flight import Flight, SingleFlight, StillUnderWay
from service.domain.errors import Overloaded, RuntimeTimeout, ServiceError, TooSoon
from service.domain.freshness import RequestCachePolicy, Source
from service.reads.bulkhead import Bulkhead
from service.reads.fetch import Fetching, Outcome
from service.reads.policy import FreshnessPolicy, counts_for
from service.reads.results import FetchRequest, Found
from service.telemetry.prometheus import Telemetry

MOST_PAUSING = 128
"""The most readers of a process that wait for a forced fetch, so that other waiting requests find places, too."""


class SharedFetches:
    """Begins fetches, or joins those in progress, and waits for them. Thread-safe."""

    def __init__(
        self,
        fetching: Fetching,
        policy: FreshnessPolicy,
        bulkhead: Bulkhead,
        telemetry: Telemetry,
        sleep: Callable[[float], None],
    ) -> None:
        self._fetching = fetching
        self._policy = policy
        self._bulkhead = bulkhead
        self._telemetry = telemetry
        self._sleep = sleep
        self._flights: SingleFlight[Outcome] = SingleFlight()
        self._pauses = threading.Semaphore(MOST_PAUSING)

    def begin(
        self, keys: Sequence[str], stored: Mapping[str, Header], request: FetchRequest
    ) -> Pending[dict[str, Found | ServiceError]]:
        """Join or begin the fetch of each key. What is ``stored`` may be served in place of an error."""
        return Pending(partial(self._results, self._join_or_refuse(keys, request), stored, request))

    def refresh(self, keys: Sequence[str], request: FetchRequest) -> None:
        """Begin to refresh the keys in the background, whatever else the request allows."""
        try:
            self._join(keys, replace(request, cache_policy=RequestCachePolicy(asked_at=self._policy.now())))
        except Overloaded:
            self._telemetry.refusal("refresh")

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

    def _join(self, keys: Sequence[str], request: FetchRequest) -> Mapping[str, tuple[Flight[Outcome], bool]]:
        """The fetch of each key, and whether it was in progress. Raises ``Overloaded`` where no other may begin."""
        return self._flights.join(keys, partial(self._begin, request))

    def _begin(self, request: FetchRequest, keys: tuple[str, ...]) -> Future[Mapping[str, Outcome]]:
        return self._bulkhead.begin(keys, request.deadline, partial(self._fetching.fetch, keys, request))

    def _join_or_refuse(
        self, keys: Sequence[str], request: FetchRequest
    ) -> Mapping[str, tuple[Flight[Outcome], bool] | Overloaded]:
        try:
            return self._join(keys, request)
        except Overloaded as error:
            self._telemetry.refusal("overloaded")
            return dict.fromkeys(keys, error)

    def _results(
        self,
        joined: Mapping[str, tuple[Flight[Outcome], bool] | Overloaded],
        stored: Mapping[str, Header],
        request: FetchRequest,
        until: Deadline,
    ) -> dict[str, Found | ServiceError]:
        """Wait for fetches. Those that began too early to count, or have to be paced, are begun again."""
        cache_policy = request.cache_policy
        results: dict[str, Found | ServiceError] = {}
        while joined:
            outcomes = {key: self._outcome(one, cache_policy, until) for key, one in joined.items()}
            soon = [outcome for outcome in outcomes.values() if isinstance(outcome, TooSoon)]
            refusal = self.pause(soon, until) if soon and cache_policy.waits else None
            again = []
            for key, outcome in outcomes.items():
                if outcome is None or (isinstance(outcome, TooSoon) and cache_policy.waits and refusal is None):
                    again.append(key)
                elif isinstance(outcome, TooSoon) and not cache_policy.waits:
                    results[key] = outcome
                else:
                    results[key] = self._result(key, outcome, stored.get(key), cache_policy)
            joined = self._join_or_refuse(again, request) if again else {}
        return results

    def _outcome(
        self, fetch: tuple[Flight[Outcome], bool] | Overloaded, cache_policy: RequestCachePolicy, deadline: Deadline
    ) -> Outcome | None:
        """The outcome of a fetch; ``None`` for one that began too early to count for this reader."""
        if isinstance(fetch, Overloaded):
            return fetch
        flight, joined = fetch
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
