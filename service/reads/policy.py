"""Every rule of freshness: what may be done with a stored answer (RFC 9111, RFC 5861), and when a fetch counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from service.caching.codec import Header
from service.domain.errors import Overloaded, RuntimeTrouble, ServiceError
from service.domain.freshness import Provenance, RequestCachePolicy, RequestDirectives, Source
from service.reads.results import VALUE


class FreshnessPolicy:
    """Judges stored answers by the service's lifetimes. ``now`` in seconds since the epoch."""

    def __init__(self, lifetimes: Lifetimes, now: Callable[[], float]) -> None:
        self._lifetimes = lifetimes
        self.now = now

    def fresh(self, header: Header) -> bool:
        return self._freshness(header).state is State.FRESH

    def usable(
        self,
        header: Header,
        cache_policy: RequestCachePolicy,
        *,
        in_trouble: bool = False,
        settled: bool = False,
    ) -> Source | None:
        """As what the answer may be given without asking the runtime first; ``None`` where it may not.

        ``in_trouble``: the last fetch failed a moment ago, so that an answer that may stand in for an error need not
        wait for the next one to fail. ``settled``: it is, see there.
        """
        if settled and cache_policy.directives.is_silent:
            return Source.STORED
        source = self._usable(header, cache_policy)
        if source is None and in_trouble and self._may_serve_stale_on_error(header, cache_policy):
            return Source.STORED_ON_ERROR
        return source

    def _usable(self, header: Header, cache_policy: RequestCachePolicy) -> Source | None:
        if cache_policy.directives.no_cache:
            return Source.STORED if header.fetched_at >= cache_policy.asked_at else None
        freshness = self._freshness(header)
        if content_with(freshness, cache_policy.directives, self._lifetimes.min_refresh):
            return Source.STORED
        if not satisfies(freshness, cache_policy.directives):
            return None
        return Source.STORED if freshness.state is State.FRESH else Source.STORED_REVALIDATING

    def may_serve_stale_on_error(
        self, header: Header | None, error: ServiceError, cache_policy: RequestCachePolicy
    ) -> bool:
        """Whether a stored answer may be given in place of that error (RFC 5861, 4): of trouble, not of a refusal."""
        return (
            header is not None
            and isinstance(error, (RuntimeTrouble, Overloaded))
            and self._may_serve_stale_on_error(header, cache_policy)
        )

    def _may_serve_stale_on_error(self, header: Header, cache_policy: RequestCachePolicy) -> bool:
        return (
            header.outcome == VALUE
            and not cache_policy.directives.no_cache
            and self._freshness(header).state is not State.EXPIRED
        )

    def forced(self, before: Header | None, cache_policy: RequestCachePolicy) -> bool:
        """Whether it is the caller that wants a fetch, and not what is stored that needs one."""
        return cache_policy.directives.no_cache or (before is not None and self.fresh(before))

    def cache_status(self, before: Header | None, cache_policy: RequestCachePolicy) -> Source:
        """As what a fetched answer is given, where ``before`` was stored."""
        if self.forced(before, cache_policy):
            return Source.FETCHED_ON_REQUEST
        return Source.FETCHED_NEW if before is None else Source.FETCHED_OVER_STALE

    def provenance(
        self, header: Header, source: Source, *, kept: bool = True, shared: bool = False, upstream: float | None = None
    ) -> Provenance:
        freshness = self._freshness(header)
        lifetime = self._lifetimes.fresh_for(_kind_of(header))
        return Provenance(source, freshness.age, freshness.ttl, lifetime, kept, shared, upstream)

    def settled(self, header: Header, ended_at: float | None) -> Provenance | None:
        """The provenance of an answer of a run that had ended (at ``ended_at``, since the epoch) long before it was
        fetched; ``None`` for any other.

        Metrics that are logged after a run's end come soon after it: what was fetched ``fresh_finished`` seconds later
        is as good as fresh for as long as it is kept, to readers that say when the run ended.
        """
        if (
            ended_at is None
            or _kind_of(header) is not Kind.ENDED
            or header.fetched_at < ended_at + self._lifetimes.fresh_finished
        ):
            return None
        freshness = self._freshness(header)
        if freshness.state is State.EXPIRED:
            return None
        lifetime = self._lifetimes.kept_for(Kind.ENDED)
        return Provenance(Source.STORED, freshness.age, lifetime - freshness.age, lifetime)

    def kept_for(self, header: Header) -> float:
        """Seconds to keep an answer.

        A value is kept for no less time than the one before it may have been. What is there no more is noted for as
        long as a value in its place could come up again; what never was, for as long as that counts.
        """
        if header.outcome == VALUE:
            return self._value_kept_for
        return min(max(self._lifetimes.remembered_absence, header.ended_until - self.now()), self._value_kept_for)

    def ended_until(self, before: Header | None) -> float:
        """Until when (since the epoch) a value that was stored before an absence could come up again."""
        if before is None:
            return 0.0
        return before.fetched_at + self._value_kept_for if before.outcome == VALUE else before.ended_until

    @property
    def _value_kept_for(self) -> float:
        return max(self._lifetimes.kept_for(kind) for kind in (Kind.CHANGING, Kind.ENDED))

    def _freshness(self, header: Header) -> Freshness:
        return judge(_kind_of(header), header.fetched_at, self.now(), self._lifetimes)


def _kind_of(header: Header) -> Kind:
    if header.outcome != VALUE:
        return Kind.ABSENT
    return Kind.CHANGING if header.may_change else Kind.ENDED


def content_with(freshness: Freshness, directives: RequestDirectives, min_refresh: float) -> bool:
    """Whether an answer so young (below ``min_refresh`` seconds) is what a request means that speaks of age.

    ``max-age=0`` is what browsers poll with, and ``Age`` counts whole seconds: a moment old is as good as new to it.
    """
    speaks_of_age = directives.max_age is not None or directives.min_fresh is not None
    return (
        speaks_of_age
        and not directives.no_cache
        and freshness.state is not State.EXPIRED
        and freshness.age < min_refresh
    )


def satisfies(freshness: Freshness, directives: RequestDirectives) -> bool:
    """Whether a stored answer of this freshness may be given without asking the runtime first.

    ``no-store`` says nothing about answers stored before (5.2.1.5), and ``only-if-cached`` changes only what happens
    when this is false (5.2.1.7). An expired answer is never given, whatever the request would accept.
    """
    if directives.no_cache or freshness.state is State.EXPIRED:
        return False
    return _young_enough(freshness, directives) and _fresh_enough(freshness, directives)


def _young_enough(freshness: Freshness, directives: RequestDirectives) -> bool:
    """5.2.1.1 ``max-age``; with 0 the request asks for a new answer, however young the stored one is."""
    if directives.max_age is None:
        return True
    return directives.max_age > 0 and freshness.age <= directives.max_age


def _fresh_enough(freshness: Freshness, directives: RequestDirectives) -> bool:
    """5.2.1.2 ``max-stale`` and 5.2.1.3 ``min-fresh``.

    The service's own ``stale-while-revalidate`` (RFC 5861) counts only for a request that says nothing about age.
    """
    if directives.min_fresh is not None and freshness.ttl < directives.min_fresh:
        return False
    if freshness.state is State.FRESH:
        return True
    if directives.max_stale is not None:
        return -freshness.ttl <= directives.max_stale
    silent = directives.max_age is None and directives.min_fresh is None
    return silent and freshness.state is State.STALE_USABLE


def is_current(provenance: Provenance) -> bool:
    """Whether an answer says what holds now, as far as its lifetime allows to know: it is not given though stale."""
    return provenance.source not in {Source.STORED_REVALIDATING, Source.STORED_ON_ERROR}


def counts_for(began: float, cache_policy: RequestCachePolicy) -> bool:
    """Whether a fetch that began then (since the epoch) is new enough; with ``no-cache`` it is one begun since."""
    return not cache_policy.directives.no_cache or began >= cache_policy.asked_at


TROUBLE_SECONDS = 5.0
"""So long after a failed fetch stale answers do not wait for the next one; as long as the circuit's longest pause."""
CLOCK_SKEW = 5.0
"""Seconds by which the clock of the host that stored an answer may run ahead of this one's."""


class Kind(Enum):
    """What a stored answer is about; it decides how long the answer stays fresh."""

    CHANGING = "changing"
    """A run that may still change."""
    ENDED = "ended"
    """A run that has ended. Metrics can still be logged to it, so it is not fresh for ever."""
    ABSENT = "absent"
    """An unknown run, or a runtime without the metrics extension: remembered for a moment, never given once stale."""


class State(Enum):
    """What may be done with a stored answer of this age."""

    FRESH = "fresh"
    STALE_USABLE = "stale-usable"
    """May be given at once, and is to be refreshed behind it (``stale-while-revalidate``)."""
    STALE_ERROR_ONLY = "stale-error-only"
    """May be given only in place of an error (``stale-if-error``)."""
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """The service's settings, all in seconds."""

    fresh_running: float = 5
    fresh_finished: float = 300
    stale_while_revalidate: float = 30
    stale_if_error: float = 86400
    remembered_absence: float = 5
    min_refresh: float = 1

    def fresh_for(self, kind: Kind) -> float:
        """Seconds that an answer of ``kind`` is fresh."""
        if kind is Kind.ABSENT:
            return self.remembered_absence
        return self.fresh_running if kind is Kind.CHANGING else self.fresh_finished

    def kept_for(self, kind: Kind) -> float:
        """Seconds after which an answer of ``kind`` is of no use any more and need not be stored."""
        if kind is Kind.ABSENT:
            return self.remembered_absence
        return self.fresh_for(kind) + max(self.stale_while_revalidate, self.stale_if_error)


@dataclass(frozen=True, slots=True)
class Freshness:
    """``age`` and ``ttl`` in seconds; ``ttl`` is what is left of the freshness lifetime, below zero once stale."""

    age: float
    ttl: float
    state: State

    @property
    def lifetime(self) -> float:
        """Seconds from being stored to being stale."""
        return self.age + self.ttl


def judge(kind: Kind, stored_at: float, now: float, lifetimes: Lifetimes) -> Freshness:
    """How fresh an answer stored at ``stored_at`` is at ``now`` (both in seconds on the same clock, say Unix time).

    An answer from the future has age 0 as long as clocks that differ by ``CLOCK_SKEW`` explain it. Beyond that a clock
    has jumped, its true age cannot be known, and it counts as expired.
    """
    age = max(0.0, now - stored_at)
    ttl = lifetimes.fresh_for(kind) - age
    if not stored_at - now <= CLOCK_SKEW:
        return Freshness(age, ttl, State.EXPIRED)
    return Freshness(age, ttl, _state(kind, ttl, lifetimes))


def _state(kind: Kind, ttl: float, lifetimes: Lifetimes) -> State:
    """RFC 9111, 4.2: fresh means a lifetime greater than the age, so at ``ttl`` 0 an answer is stale."""
    if ttl > 0:
        return State.FRESH
    if kind is Kind.ABSENT:
        return State.EXPIRED
    if -ttl <= lifetimes.stale_while_revalidate:
        return State.STALE_USABLE
    return State.STALE_ERROR_ONLY if -ttl <= lifetimes.stale_if_error else State.EXPIRED
