"""How an answer was come by: from the store, from the runtime, or from the store because the runtime failed."""

from __future__ import annotations

from dataclasses import dataclass
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
