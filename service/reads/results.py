"""The three results of a read: what the runtime returned, what is stored, what was read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Generic, TypeVar

import msgspec

from service.caching.codec import Header, Packed
from service.concurrency.deadline import Deadline
from service.domain.errors import ServiceError
from service.domain.freshness import Provenance, RequestCachePolicy, Snapshot

T = TypeVar("T")
VALUE = "value"


class Fetched(msgspec.Struct, frozen=True):
    """What the runtime returned: ``VALUE`` with its packed body, or the name of another outcome.

    ``status`` is the run's, where these are a run's metrics.
    """

    outcome: str
    may_change: bool = True
    packed: Packed = ()
    status: str = ""


class Found(msgspec.Struct, frozen=True):
    """The entry of ``key``; ``packed`` is its body where it is in memory, otherwise ``ReadThrough.body`` loads it."""

    key: str
    header: Header
    provenance: Provenance
    packed: Packed | None = None


class Read(msgspec.Struct, Generic[T], frozen=True):
    """A read, whose content is loaded on access.

    ``key`` and ``digest`` name the content. ``content`` loads it, and raises ``ContentGone`` where it has left the
    store since; so may the chunks of a metric resource on access.
    ``may_change`` and ``status`` are the run's, where it is a run's metrics.
    """

    key: str
    digest: bytes
    provenance: Provenance
    content: Callable[[], T]
    snapshot: Snapshot
    may_change: bool = True
    status: str = ""

    @property
    def size(self) -> int:
        """Bytes of the content, unpacked."""
        return self.snapshot.size


Fetch = Callable[[Sequence[str], Deadline], Mapping[str, Fetched | ServiceError]]
"""Fetches keys from the runtime by a deadline."""


class FetchRequest(msgspec.Struct, frozen=True):
    """How keys are fetched, with the request's cache policy and deadline."""

    fetch: Fetch
    cache_policy: RequestCachePolicy
    deadline: Deadline
