"""What a request allows of stored answers, and where its answer came from."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from enum import StrEnum

import msgspec


class Source(StrEnum):
    """Where an answer came from."""

    STORED = "hit"
    STORED_REVALIDATING = "stale"
    STORED_ON_ERROR = "stale-if-error"
    FETCHED_NEW = "miss"
    FETCHED_OVER_STALE = "revalidated"
    FETCHED_ON_REQUEST = "refreshed"


@dataclass(frozen=True, slots=True)
class Provenance:
    """How old and how fresh an answer is.

    ``age`` and ``ttl`` in seconds (``ttl`` is negative past freshness); ``lifetime`` is how long it is fresh in all;
    ``kept`` whether it was stored; ``shared`` whether another reader's fetch brought it; ``upstream`` the seconds that
    its fetch took, where there was one.
    """

    source: Source
    age: float
    ttl: float
    lifetime: float
    kept: bool = True
    shared: bool = False
    upstream: float | None = None


class Snapshot(msgspec.Struct, frozen=True, array_like=True):
    """Names one content of an entry, whatever the entry holds by now; see ``caching.codec.Header``."""

    digest: bytes
    size: int


@dataclass(frozen=True, slots=True)
class RequestDirectives:
    """The directives of one request, times in seconds; ``None`` where the request has no such directive.

    ``max_stale`` is infinite for a ``max-stale`` without a value: an answer may be stale by any time.
    """

    no_cache: bool = False
    no_store: bool = False
    max_age: int | None = None
    max_stale: float | None = None
    min_fresh: int | None = None
    only_if_cached: bool = False

    @property
    def is_silent(self) -> bool:
        """Whether the request says nothing about how old an answer may be."""
        return not self.no_cache and self.max_age is None and self.min_fresh is None


@dataclass(frozen=True, slots=True)
class RequestCachePolicy:
    """What the request's ``Cache-Control`` allows. ``asked_at`` in seconds since the epoch.

    ``paced``: fetches that it forces keep their distance, as those of clients do (``pacing``); ``waits``: that is
    waited for, or else the read is a ``TooSoon``.
    """

    directives: RequestDirectives = RequestDirectives()
    asked_at: float = field(default_factory=time.time)
    paced: bool = True
    waits: bool = True

    @classmethod
    def anew(cls) -> RequestCachePolicy:
        """Only what is fetched from now on."""
        return cls(RequestDirectives(no_cache=True), paced=False)
