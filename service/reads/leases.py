"""Leases: at most one process fetches a key, and another takes over within about a second if that one dies.

A lease is a lock in the shared cache that expires after ``TTL`` seconds unless its holder keeps extending it. Where the
shared cache cannot be used, every process may fetch for itself.

A fetch takes two trips to the shared cache: one takes the lease and reads the entry's header, one stores the entry and
releases the lease.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from service.caching.codec import Header
from service.caching.store import Entry, EntryStore
from service.domain.errors import CacheUnavailable

TTL = 1.2
HEARTBEAT = 0.4


class Leased(NamedTuple):
    """The keys that this process has to fetch, and the headers of all that were stored when it took their leases."""

    keys: Sequence[str]
    headers: Mapping[str, Header]


class Leases:
    """The leases of this process, extended by a background thread while any is held."""

    def __init__(self, store: EntryStore) -> None:
        self._store = store
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

    def acquire(self, keys: Sequence[str]) -> Leased:
        """Take the leases of ``keys``, as far as nobody holds them. Call ``release`` when done."""
        try:
            mine, headers = self._store.acquire(keys, self._owner, TTL)
        except CacheUnavailable:
            return Leased(keys, self._store.headers(keys, latest=True))
        self._hold(mine)
        return Leased(mine, headers)

    def save(self, entries: Mapping[str, tuple[Entry, float]]) -> Collection[str]:
        """``EntryStore.save_all``, which releases the leases of what was stored in the same step."""
        stored = self._store.save_all(entries, self._owner)
        self._let_go(stored)
        return stored

    def release(self, keys: Iterable[str]) -> None:
        """Release those leases of ``keys`` that are held."""
        self._store.release(self._let_go(keys), self._owner)

    def _let_go(self, keys: Iterable[str]) -> list[str]:
        """Extend these leases no longer; those that were held."""
        with self._changed:
            held = self._held.intersection(keys)
            self._held -= held
        return list(held)

    def _hold(self, keys: Sequence[str]) -> None:
        if not keys:
            return
        with self._changed:
            if not self._held:
                self._changed.notify()
            self._held.update(keys)
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
                self._store.extend(key, self._owner, TTL)
