"""A bounded table of key rings, for an issuer whose tokens name the key set that they need."""

from __future__ import annotations

import threading
from collections.abc import Callable

from service.auth.issuers import KeySource
from service.auth.key_rings import KeyRing
from service.concurrency.bounded_map import BoundedMap

_MOST = 200
_MOST_UNPROVEN = 8
_MOST_OPENED = 5
_OPENED_SECONDS = 15.0


class RingTable:
    """Key rings by their source. Thread-safe.

    A ring is proven once one of its keys has verified a token. Only a few unproven rings are opened in a period,
    however many zones tokens name, and they never displace a proven one.
    """

    def __init__(self, make: Callable[[KeySource], KeyRing], clock: Callable[[], float]) -> None:
        self._make = make
        self._clock = clock
        self._proven: BoundedMap[KeySource, KeyRing] = BoundedMap(_MOST)
        self._unproven: dict[KeySource, tuple[float, KeyRing]] = {}
        """Unproven rings with the time of their opening, the oldest first."""
        self._lock = threading.Lock()

    def keep(self, source: KeySource) -> KeyRing:
        """A new ring that counts as proven."""
        ring = self._make(source)
        self._proven.keep(source, ring)
        return ring

    def ring(self, source: KeySource) -> KeyRing | None:
        """The ring for a source; ``None`` where it would be new and too many are."""
        with self._lock:
            if source in self._unproven:
                return self._unproven[source][1]
            return self._proven.get(source) or self._open(source)

    def proved(self, source: KeySource) -> None:
        with self._lock:
            if source in self._unproven:
                self._proven.keep(source, self._unproven.pop(source)[1])

    def all(self) -> list[KeyRing]:
        with self._lock:
            return [*self._proven.values(), *(ring for _, ring in self._unproven.values())]

    def proven(self) -> list[KeyRing]:
        return self._proven.values()

    def _open(self, source: KeySource) -> KeyRing | None:
        now = self._clock()
        if sum(now - opened < _OPENED_SECONDS for opened, _ in self._unproven.values()) >= _MOST_OPENED:
            return None
        if len(self._unproven) >= _MOST_UNPROVEN:
            del self._unproven[next(iter(self._unproven))]
        ring = self._make(source)
        self._unproven[source] = now, ring
        return ring
