"""The protocol of caches. One contract suite (``tests/contract``) runs on every implementation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from service.caching.changes import Changes


class Replacement(NamedTuple):
    """A value for ``ttl`` seconds (at least 1 ms), and others ``beside`` it by key, in a cluster of the same slot.

    ``lock``, of that slot, is released in the same step, if ``owner`` still holds it.
    """

    value: bytes
    ttl: float
    beside: Mapping[str, bytes]
    lock: str = ""
    owner: str = ""


class Acquired(NamedTuple):
    """Whether the lock of a key was taken, and the key's value."""

    taken: bool
    value: bytes | None


class Cache(Protocol):
    """Bytes by string keys, each with a time to live. Thread-safe.

    Every method but ``close`` raises ``domain.errors.CacheUnavailable`` when the server cannot be used, and no other
    exception; each returns within the configured time limit (well below a second) whatever the server does.
    """

    def get(self, key: str) -> bytes | None: ...

    def get_many(self, keys: Sequence[str]) -> Mapping[str, bytes | None]:
        """The values under ``keys``; keys whose server cannot be used are absent, while others can."""
        ...

    def set_many(self, items: Mapping[str, bytes], ttl: float) -> None:
        """Keep each value for ``ttl`` seconds (at least 1 ms). Not atomic over several keys: after an exception some
        may be stored."""
        ...

    def replace_many(self, items: Mapping[str, Replacement]) -> None:
        """Store each value with those beside it, and announce its key to all subscribers, in one step; not atomic over
        several keys."""
        ...

    def subscribe(self, changes: Changes) -> None:
        """Report to ``changes`` what others replace, until ``close``. Raises nothing; called once."""
        ...

    def delete(self, key: str) -> None: ...

    def acquire(self, key: str, owner: str, ttl: float) -> bool:
        """Take the lock ``key`` for ``owner`` for ``ttl`` seconds unless someone holds it.

        A lock is always taken for the same time. One with a longer time to live, which only somebody else could have
        written, is taken over.
        """
        ...

    def acquire_many(self, locks: Mapping[str, str], owner: str, ttl: float) -> Mapping[str, Acquired]:
        """Like ``acquire``, the lock of each key, and read the key's value in the same step. In a cluster both are of
        the same slot. After an exception some may be taken."""
        ...

    def extend(self, key: str, owner: str, ttl: float) -> bool:
        """Hold the lock ``ttl`` seconds from now, if ``owner`` still holds it."""
        ...

    def release(self, key: str, owner: str) -> None:
        """Release the lock, if ``owner`` still holds it."""
        ...

    def release_many(self, keys: Sequence[str], owner: str) -> None:
        """Like ``release``, for each key."""
        ...

    def ping(self) -> None:
        """Return if the server can be used, raise ``CacheUnavailable`` otherwise."""
        ...

    def close(self) -> None: ...
