"""All rules of freshness: when a stored answer may be served (RFC 9111, RFC 5861), and when a fetch counts."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

import msgspec

from service.caching.codec import Header
from service.domain.errors import Overloaded, RuntimeTrouble, ServiceError
from service.domain.freshness import Provenance, RequestCachePolicy, RequestDirectives, Source
from service.reads.results import VALUE


class FreshnessPolicy:
    """Decides on stored answers by the service's lifetimes. ``now`` in seconds since the epoch."""

    def __init__(self, lifetimes: Lifetimes, now: Callable[[], float]) -> None:
        self._lifetimes = lifetimes
        self._ended_kept_for = lifetimes.kept_for(Kind.ENDED)
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
        """The ``Source`` as which the answer may be served without asking the runtime first; ``None`` where it may not.

        ``in_trouble``: the last fetch has just failed, so that an answer that may be served in place of an error need
        not wait for the next failure. ``settled``: see the method.
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
        """Whether a stored answer may be served in place of that error (RFC 5861, 4): of trouble, not of a refusal."""
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
        """Whether a fetch is forced by the caller, as the stored answer would not need one."""
        return cache_policy.directives.no_cache or (before is not None and self.fresh(before))

    def cache_status(self, before: Header | None, cache_policy: RequestCachePolicy) -> Source:
        """The ``Source`` of a fetched answer, where ``before`` was stored."""
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
        """The provenance of an answer that was fetched long after its run had ended (``ended_at``, since the epoch);
        ``None`` for any other.

        Metrics can still be logged shortly after a run's end. What was fetched ``fresh_finished`` seconds later counts
        as fresh for as long as it is stored, for readers that know when the run ended.
        """
        if (
            ended_at is None
            or _kind_of(header) is not Kind.ENDED
            or header.fetched_at < ended_at + self._lifetimes.fresh_finished
        ):
            return None
        age, lifetime = age_of(header.fetched_at, self.now()), self._ended_kept_for
        if age is None or age > lifetime:
            return None
        return Provenance(Source.STORED, age, lifetime - age, lifetime)

    def kept_for(self, header: Header) -> float:
        """Seconds to store an answer.

        A value is stored for at least as long as the one before it may have been. An absence is stored while a value
        before it could still be in a cache; without one, for as long as absences are remembered.
        """
        if header.outcome == VALUE:
            return self._value_kept_for
        return min(max(self._lifetimes.remembered_absence, header.ended_until - self.now()), self._value_kept_for)

    def ended_until(self, before: Header | None) -> float:
        """Until when (since the epoch) a value stored before an absence could still be in a cache."""
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
    """Whether an answer younger than ``min_refresh`` seconds satisfies a request with directives about age.

    Browsers poll with ``max-age=0``, and ``Age`` has whole seconds, so a very young answer counts as new.
    """
    speaks_of_age = directives.max_age is not None or directives.min_fresh is not None
    return (
        speaks_of_age
        and not directives.no_cache
        and freshness.state is not State.EXPIRED
        and freshness.age < min_refresh
    )


def satisfies(freshness: Freshness, directives: RequestDirectives) -> bool:
    """Whether a stored answer of this freshness may be served without asking the runtime first.

    ``no-store`` does not concern answers stored before (5.2.1.5), and ``only-if-cached`` changes only what happens when
    this is false (5.2.1.7). An expired answer is never served, whatever the request accepts.
    """
    if directives.no_cache or freshness.state is State.EXPIRED:
        return False
    return _young_enough(freshness, directives) and _fresh_enough(freshness, directives)


def _young_enough(freshness: Freshness, directives: RequestDirectives) -> bool:
    """5.2.1.1 ``max-age``; with 0 the request demands a new answer, however young the stored one is."""
    if directives.max_age is None:
        return True
    return directives.max_age > 0 and freshness.age <= directives.max_age


def _fresh_enough(freshness: Freshness, directives: RequestDirectives) -> bool:
    """5.2.1.2 ``max-stale`` and 5.2.1.3 ``min-fresh``.

    The service's own ``stale-while-revalidate`` (RFC 5861) applies only to requests without directives about age.
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
    """Whether an answer is current within its lifetime, rather than served stale."""
    return provenance.source not in {Source.STORED_REVALIDATING, Source.STORED_ON_ERROR}


def counts_for(began: float, cache_policy: RequestCachePolicy) -> bool:
    """Whether a fetch begun then (since the epoch) is new enough: with ``no-cache``, one begun after the request."""
    return not cache_policy.directives.no_cache or began >= cache_policy.asked_at


TROUBLE_SECONDS = 5.0
"""Seconds after a failed fetch in which stale answers do not wait for the next one; the circuit's longest pause."""
CLOCK_SKEW = 5.0
"""Seconds by which the clock of the host that stored an answer may be ahead of this one's."""


class Kind(Enum):
    """Kinds of stored answers with different lifetimes."""

    CHANGING = "changing"
    """A run that may still change."""
    ENDED = "ended"
    """A run that has ended. Metrics can still be logged to it, so it does not stay fresh for ever."""
    ABSENT = "absent"
    """An unknown run, or a runtime without the metrics extension: stored briefly, never served once stale."""


class State(Enum):
    """How a stored answer of some age may be used."""

    FRESH = "fresh"
    STALE_USABLE = "stale-usable"
    """May be served at once, and has to be refreshed in the background (``stale-while-revalidate``)."""
    STALE_ERROR_ONLY = "stale-error-only"
    """May be served only in place of an error (``stale-if-error``)."""
    EXPIRED = "expired"


class Lifetimes(msgspec.Struct, frozen=True):
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
        """Seconds after which an answer of ``kind`` cannot be served any more."""
        if kind is Kind.ABSENT:
            return self.remembered_absence
        return self.fresh_for(kind) + max(self.stale_while_revalidate, self.stale_if_error)


class Freshness(msgspec.Struct, frozen=True, gc=False):
    """The freshness of an answer, in seconds; ``ttl`` is the rest of the freshness lifetime, below zero once stale."""

    age: float
    ttl: float
    state: State

    @property
    def lifetime(self) -> float:
        """The freshness lifetime in seconds."""
        return self.age + self.ttl


def judge(kind: Kind, stored_at: float, now: float, lifetimes: Lifetimes) -> Freshness:
    """The freshness at ``now`` of an answer stored at ``stored_at`` (both in seconds since the epoch).

    An answer of unknown age (``age_of``) counts as expired.
    """
    age = age_of(stored_at, now)
    if age is None:
        return Freshness(0.0, lifetimes.fresh_for(kind), State.EXPIRED)
    ttl = lifetimes.fresh_for(kind) - age
    return Freshness(age, ttl, _state(kind, ttl, lifetimes))


def age_of(stored_at: float, now: float) -> float | None:
    """The age of an answer in seconds: 0 for one from the future, as long as a difference of clocks by ``CLOCK_SKEW``
    explains it. Beyond that a clock has jumped, and the true age is unknown."""
    return max(0.0, now - stored_at) if stored_at - now <= CLOCK_SKEW else None


def _state(kind: Kind, ttl: float, lifetimes: Lifetimes) -> State:
    """RFC 9111, 4.2: fresh means a lifetime greater than the age, so an answer with a ``ttl`` of 0 is stale."""
    if ttl > 0:
        return State.FRESH
    if kind is Kind.ABSENT:
        return State.EXPIRED
    if -ttl <= lifetimes.stale_while_revalidate:
        return State.STALE_USABLE
    return State.STALE_ERROR_ONLY if -ttl <= lifetimes.stale_if_error else State.EXPIRED
