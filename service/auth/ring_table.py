"""A bounded table of key rings, for an issuer whose tokens say which of its key sets they need."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

from service.auth.issuers import KeySource
from service.auth.key_rings import KeyRing

_MOST = 200
_MOST_UNPROVEN = 8
_MOST_OPENED = 5
_OPENED_SECONDS = 15.0


class RingTable:
    """Key rings by their source. Safe from any thread.

    A ring is proven once a token held with a key of it. Of rings that are not, only a few are opened a time, however
    many zones tokens name, and they make way for others first.
    """

    def __init__(self, make: Callable[[KeySource], KeyRing], clock: Callable[[], float]) -> None:
        self._make = make
        self._clock = clock
        self._rings: OrderedDict[KeySource, KeyRing] = OrderedDict()
        self._unproven: OrderedDict[KeySource, float] = OrderedDict()
        self._lock = threading.Lock()

    def keep(self, source: KeySource) -> KeyRing:
        """A ring that counts as proven from the start."""
        ring = self._rings[source] = self._make(source)
        return ring

    def ring(self, source: KeySource) -> KeyRing | None:
        """The ring for a source; ``None`` where it would be a new one and too many are new."""
        with self._lock:
            ring = self._rings.get(source)
            if ring is None:
                return self._open(source)
            self._rings.move_to_end(source)
            return ring

    def proved(self, source: KeySource) -> None:
        if source in self._unproven:
            with self._lock:
                self._unproven.pop(source, None)

    def all(self) -> list[KeyRing]:
        with self._lock:
            return list(self._rings.values())

    def proven(self) -> list[KeyRing]:
        with self._lock:
            return [ring for source, ring in self._rings.items() if source not in self._unproven]

    def _open(self, source: KeySource) -> KeyRing | None:
        now = self._clock()
        if sum(now - opened < _OPENED_SECONDS for opened in self._unproven.values()) >= _MOST_OPENED:
            return None
        if len(self._unproven) >= _MOST_UNPROVEN or len(self._rings) >= _MOST:
            self._make_way()
        self._unproven[source] = now
        ring = self._rings[source] = self._make(source)
        return ring

    def _make_way(self) -> None:
        leaving = next(iter(self._unproven), None) or next(iter(self._rings))
        self._unproven.pop(leaving, None)
        del self._rings[leaving]
