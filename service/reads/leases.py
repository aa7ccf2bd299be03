"""Leases: at most one process fetches a key, and another takes over within about a second if that one dies.

A lease is a lock in the shared cache that expires after ``TTL`` seconds unless its holder keeps extending it. Where the
shared cache cannot be used, every process may fetch for itself.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterable, Sequence
from contextlib import suppress

from service.caching.entry_keys import lock_key
from service.caching.protocol import Cache
from service.domain.errors import CacheUnavailable

TTL = 1.2
HEARTBEAT = 0.4


class Leases:
    """The leases of this process, extended by a background thread while any is held."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._owner = uuid.uuid4().hex
        self._held: set[str] = set()
        self._changed = threading.Condition()
        self._keeper: threading.Thread | None = None
        self._is_closed = False

    def close(self) -> None:
        """End the thread; what is held expires."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()

    def acquire(self, key: str) -> bool:
        """Take the lease of ``key``; whether this process has to fetch it. Call ``release`` when done."""
        try:
            taken = self._cache.acquire(lock_key(key), self._owner, TTL)
        except CacheUnavailable:
            return True
        if taken:
            self._hold(key)
        return taken

    def acquire_all(self, keys: Sequence[str]) -> list[str]:
        """Take the leases of ``keys``; those that this process has to fetch. Call ``release`` when done."""
        if len(keys) == 1:
            return list(keys) if self.acquire(keys[0]) else []
        locks = [lock_key(key) for key in keys]
        try:
            taken = self._cache.acquire_many(locks, self._owner, TTL)
        except CacheUnavailable:
            return list(keys)
        mine = [key for key, it_is in zip(keys, taken, strict=True) if it_is]
        for key in mine:
            self._hold(key)
        return mine

    def release(self, keys: Iterable[str]) -> None:
        with self._changed:
            held = self._held.intersection(keys)
            self._held -= held
        with suppress(CacheUnavailable):  # they expire
            if len(held) > 1:
                self._cache.release_many([lock_key(key) for key in held], self._owner)
            for key in held if len(held) == 1 else ():
                self._cache.release(lock_key(key), self._owner)

    def _hold(self, key: str) -> None:
        with self._changed:
            if not self._held:
                self._changed.notify()
            self._held.add(key)
            if self._keeper is None and not self._is_closed:
                self._keeper = threading.Thread(target=self._keep, name="lease-keeper", daemon=True)
                self._keeper.start()

    def _keep(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._held or self._is_closed)
                self._changed.wait_for(lambda: self._is_closed, HEARTBEAT)  # including leases taken meanwhile
                if self._is_closed:
                    return
                held = tuple(self._held)
            for key in held:
                self._extend(key)

    def _extend(self, key: str) -> None:
        try:
            self._cache.extend(lock_key(key), self._owner, TTL)
        except CacheUnavailable:
            return
