"""What reads are made of: what a caller wants, what a fetch brings, what is found."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from service.caching.codec import Header, Packed
from service.concurrency.deadline import Deadline
from service.domain.errors import ServiceError
from service.domain.reading import Provenance, Snapshot

VALUE = "value"


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
        return Snapshot(header.digest, header.size)


@dataclass(frozen=True, slots=True)
class FetchResult:
    """What a flight brought for one key; ``seconds`` is how long the runtime took, where this process asked it."""

    header: Header
    packed: Packed | None
    kept: bool
    shared: bool
    seconds: float | None = None


Fetch = Callable[[Sequence[str], Deadline], Mapping[str, Fetched | ServiceError]]
"""Asks the runtime for those keys, by that deadline."""
