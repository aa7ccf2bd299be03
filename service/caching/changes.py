"""Which stored entries other processes have replaced, as far as this process knows.

Whoever replaces an entry announces its key. A subscription (``protocol.Cache.subscribe``) says which keys were
announced, and up to which moment it has received all of them. As long as that moment is ``LIVING`` seconds ago at most,
an entry without an announcement since it was read is the one that the shared cache has.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

LIVING = 0.25
"""Seconds."""
_COUNTERS = 4096


class Mark(NamedTuple):
    """How things stood for a key: which subscription there was, and how many announcements there had been."""

    subscription: int
    announced: int


UNKNOWN = Mark(-1, -1)
"""Of an entry that was not asked for: anything may have been announced since."""


class Changes:
    """Announcements, counted. Safe from any thread.

    Keys share counters, so that an announcement may count for another key too: that one is read once more for nothing.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._counters = [0] * _COUNTERS
        self._subscription = 0
        self._complete_until = -math.inf
        self._listeners: list[Callable[[str], None]] = []
        self._awaited: dict[str, set[threading.Event]] = {}

    @property
    def living(self) -> bool:
        """Whether all announcements are known but those of the last moment."""
        return self._clock() - self._complete_until <= LIVING

    def mark(self, key: str) -> Mark:
        """To be taken before the shared cache is asked for ``key``."""
        return Mark(self._subscription, self._counters[hash(key) % _COUNTERS])

    def announced_since(self, key: str, mark: Mark) -> bool:
        """Whether ``key`` may have been replaced since, by an announcement that has come."""
        return self._counters[hash(key) % _COUNTERS] != mark.announced

    def followed_since(self, mark: Mark) -> bool:
        """Whether every announcement since has come, but for those of the last moment."""
        return self._subscription == mark.subscription and self.living

    def listen(self, listener: Callable[[str], None]) -> None:
        """Call ``listener`` with each key that is replaced, in this process or another. It must not wait or raise."""
        self._listeners.append(listener)

    @contextmanager
    def setting(self, event: threading.Event, key: str) -> Iterator[None]:
        """Within it, ``event`` is set whenever ``key`` is replaced, in this process or another."""
        with self._lock:
            self._awaited.setdefault(key, set()).add(event)
        try:
            yield
        finally:
            with self._lock:
                events = self._awaited[key]
                events.discard(event)
                if not events:
                    del self._awaited[key]

    def replaced_here(self, key: str) -> None:
        """This process has replaced an entry, and has the new one in memory."""
        if key in self._awaited:
            with self._lock:
                events = tuple(self._awaited.get(key, ()))
            for event in events:
                event.set()
        for listener in self._listeners:
            listener(key)

    def announced(self, key: str) -> None:
        """Another process has replaced an entry."""
        with self._lock:
            self._counters[hash(key) % _COUNTERS] += 1
        self.replaced_here(key)

    def began(self) -> None:
        """From now on, announcements come."""
        self._subscription += 1

    def complete(self, until: float) -> None:
        """All announcements made until that moment, by the clock of this process, have come."""
        self._complete_until = until

    def ended(self) -> None:
        """Announcements may have been missed."""
        self._complete_until = -math.inf
        self._subscription += 1
