"""Announcements of stored entries that other processes have replaced.

A process that replaces an entry announces its key. A subscription (``protocol.Cache.subscribe``) reports the announced
keys, and up to which moment it has received all of them. While that moment is at most ``LIVING`` seconds ago, an entry
without an announcement since it was read is the same as in the shared cache.
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
    """The state of announcements for a key: the subscription, and the number of announcements so far."""

    subscription: int
    announced: int


UNKNOWN = Mark(-1, -1)
"""The mark of an entry that was not read: anything may have been announced since."""


class Changes:
    """Counts announcements. Thread-safe.

    Keys share counters, so an announcement may count for another key, too, which is then read once more needlessly.
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
        """Whether all announcements are known except those of the last ``LIVING`` seconds."""
        return self._clock() - self._complete_until <= LIVING

    def mark(self, key: str) -> Mark:
        """The mark to take before ``key`` is read from the shared cache."""
        return Mark(self._subscription, self._counters[hash(key) % _COUNTERS])

    def announced_since(self, key: str, mark: Mark) -> bool:
        """Whether an announcement since ``mark`` may concern ``key``."""
        return self._counters[hash(key) % _COUNTERS] != mark.announced

    def followed_since(self, mark: Mark) -> bool:
        """Whether all announcements since ``mark`` have been received, except those of the last ``LIVING`` seconds."""
        return self._subscription == mark.subscription and self.living

    def listen(self, listener: Callable[[str], None]) -> None:
        """Call ``listener`` with each key that is replaced, in this process or another. It must not wait or raise."""
        self._listeners.append(listener)

    @contextmanager
    def setting(self, event: threading.Event, key: str) -> Iterator[None]:
        """Set ``event`` whenever ``key`` is replaced by this process or another, while the context lasts."""
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
        """A subscription has begun."""
        self._subscription += 1

    def complete(self, until: float) -> None:
        """All announcements made until that moment, by this process's clock, have been received."""
        self._complete_until = until

    def ended(self) -> None:
        """Announcements may have been missed."""
        self._complete_until = -math.inf
        self._subscription += 1
