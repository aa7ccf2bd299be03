"""What may be done with a stored answer: RFC 9111 and RFC 5861 applied to what a caller wants."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from service.caching.codec import Header
from service.caching.directives import content_with, satisfies
from service.caching.freshness import Freshness, Kind, Lifetimes, State, judge
from service.domain.reading import Provenance, Source
from service.runtimes.reads import VALUE, Demand, Landed


class Judgement:
    """Judges stored answers by the service's lifetimes. ``now`` in seconds since the epoch."""

    def __init__(self, lifetimes: Lifetimes, now: Callable[[], float]) -> None:
        self._lifetimes = lifetimes
        self.now = now

    def fresh(self, header: Header) -> bool:
        return self._freshness(header).state is State.FRESH

    def usable(self, header: Header, demand: Demand) -> Source | None:
        """As what the answer may be given without asking the runtime first; ``None`` where it may not."""
        if demand.directives.no_cache:
            return Source.STORED if header.fetched_at >= demand.asked_at else None
        freshness = self._freshness(header)
        if content_with(freshness, demand.directives, self._lifetimes.min_refresh):
            return Source.STORED
        if not satisfies(freshness, demand.directives):
            return None
        return Source.STORED if freshness.state is State.FRESH else Source.STORED_REVALIDATING

    def may_stand_in(self, header: Header | None, demand: Demand) -> bool:
        """Whether a stored answer may be given in place of an error (RFC 5861, 4)."""
        return (
            header is not None
            and header.outcome == VALUE
            and not demand.directives.no_cache
            and self._freshness(header).state is not State.EXPIRED
        )

    def forced(self, before: Header | None, demand: Demand) -> bool:
        """Whether it is the caller that wants a fetch, and not what is stored that needs one."""
        return demand.directives.no_cache or (before is not None and self.fresh(before))

    def fetched_as(self, before: Header | None, demand: Demand) -> Source:
        """As what a fetched answer is given, where ``before`` was stored."""
        if self.forced(before, demand):
            return Source.FETCHED_ON_REQUEST
        return Source.FETCHED_NEW if before is None else Source.FETCHED_OVER_STALE

    def provenance(self, header: Header, source: Source, landed: Landed | None = None) -> Provenance:
        freshness = self._freshness(header)
        stored = Provenance(source, freshness.age, freshness.ttl, self._lifetimes.fresh_for(_kind_of(header)))
        if landed is None:
            return stored
        return replace(stored, kept=landed.kept, shared=landed.shared, upstream=landed.seconds)

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
