"""What a cache is. One contract suite (``tests/contract``) runs over every implementation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from service.caching.changes import Changes


class Cache(Protocol):
    """Bytes under string keys, each with an end. Safe from any thread.

    Every method but ``close`` raises ``domain.errors.CacheUnavailable`` when the server cannot be used, and no other
    exception; each returns within the configured time limit (well below a second) whatever the server does.
    """

    def get(self, key: str) -> bytes | None: ...

    def get_many(self, keys: Sequence[str]) -> list[bytes | None]:
        """The values under ``keys``, in their order."""
        ...

    def set_many(self, items: Mapping[str, bytes], ttl: float) -> None:
        """Keep each value for ``ttl`` seconds (at least 1 ms). Not atomic over several keys."""
        ...

    def replace(self, key: str, value: bytes, ttl: float) -> None:
        """As ``set_many``, and announce it to all who subscribe, in one step."""
        ...

    def subscribe(self, changes: Changes) -> None:
        """Have ``changes`` know, until ``close``, of what others ``replace``. Raises nothing; called once."""
        ...

    def delete(self, key: str) -> None: ...

    def acquire(self, key: str, owner: str, ttl: float) -> bool:
        """Take the lock ``key`` for ``owner`` for ``ttl`` seconds unless someone holds it.

        All who take one lock take it for the same time. Where others can write, one that has longer to live than that
        is nobody's and is taken over.
        """
        ...

    def acquire_many(self, keys: Sequence[str], owner: str, ttl: float) -> list[bool]:
        """As ``acquire``, for each key; what is raised may leave some taken."""
        ...

    def extend(self, key: str, owner: str, ttl: float) -> bool:
        """Hold the lock ``ttl`` seconds from now, if ``owner`` still holds it."""
        ...

    def release(self, key: str, owner: str) -> None:
        """Give the lock up, if ``owner`` still holds it."""
        ...

    def release_many(self, keys: Sequence[str], owner: str) -> None:
        """As ``release``, for each key."""
        ...

    def ping(self) -> None:
        """Return if the server can be used, raise ``CacheUnavailable`` otherwise."""
        ...

    def close(self) -> None: ...
