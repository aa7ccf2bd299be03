"""Cache directives of requests, and the provenance of answers."""

from __future__ import annotations

import time
from collections.abc import Iterable
from enum import StrEnum

import msgspec
from msgspec.structs import replace


class Source(StrEnum):
    """The source of an answer."""

    STORED = "hit"
    STORED_REVALIDATING = "stale"
    STORED_ON_ERROR = "stale-if-error"
    FETCHED_NEW = "miss"
    FETCHED_OVER_STALE = "revalidated"
    FETCHED_ON_REQUEST = "refreshed"


class Provenance(msgspec.Struct, frozen=True, gc=False):
    """The source, age and freshness of an answer.

    ``age`` and ``ttl`` in seconds (``ttl`` is negative once stale); ``lifetime`` is the whole time of freshness in
    seconds; ``kept`` whether it was stored; ``shared`` whether it is from another reader's fetch; ``upstream`` the
    seconds that its fetch took, where there was one; ``partial`` whether something of the answer could not be read.
    """

    source: Source
    age: float
    ttl: float
    lifetime: float
    kept: bool = True
    shared: bool = False
    upstream: float | None = None
    partial: bool = False


def combined(provenances: Iterable[Provenance], *, partial: bool) -> Provenance:
    """The provenance of an answer made of several: that of the one that becomes stale first.

    A ``partial`` answer is not fresh: what it lacks may be there at the next request.
    """
    first = min(provenances, key=lambda each: each.ttl)
    return replace(first, ttl=min(first.ttl, 0.0), lifetime=0.0, partial=True) if partial else first


class Snapshot(msgspec.Struct, frozen=True, array_like=True):
    """A name for one content of an entry, which may have been replaced since; see ``caching.codec.Header``."""

    digest: bytes
    size: int


class RequestDirectives(msgspec.Struct, frozen=True):
    """The directives of one request, times in seconds; ``None`` where the request has no such directive.

    ``max_stale`` is infinite for a ``max-stale`` without a value.
    """

    no_cache: bool = False
    no_store: bool = False
    max_age: int | None = None
    max_stale: float | None = None
    min_fresh: int | None = None
    only_if_cached: bool = False

    @property
    def is_silent(self) -> bool:
        """Whether the request has no directive about the age of answers."""
        return not self.no_cache and self.max_age is None and self.min_fresh is None


class RequestCachePolicy(msgspec.Struct, frozen=True):
    """What the request's ``Cache-Control`` allows. ``asked_at`` in seconds since the epoch.

    ``paced``: fetches that it forces are spaced, like those of clients (``pacing``); ``waits``: the read waits for
    that, otherwise it is ``TooSoon``.
    """

    directives: RequestDirectives = RequestDirectives()
    asked_at: float = msgspec.field(default_factory=time.time)
    paced: bool = True
    waits: bool = True

    @classmethod
    def no_cache(cls) -> RequestCachePolicy:
        """The policy that accepts only what is fetched from now on."""
        return cls(RequestDirectives(no_cache=True), paced=False)
