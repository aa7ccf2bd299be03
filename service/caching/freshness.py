"""How fresh a stored answer is: RFC 9111 section 4.2 and RFC 5861, as plain arithmetic on seconds.

An answer goes through four states as it ages::

    |--- fresh ---|--- stale, usable while it is refreshed ---|--- stale, for when the runtime fails ---|--- expired
    0          lifetime        + stale_while_revalidate                 + stale_if_error

Both windows begin where freshness ends (RFC 5861, sections 3 and 4), so the longer one decides when an answer expires.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

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
