"""Whether a crowd of clients is coming, and how long others wait for it to be let in."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

LONGEST_WAIT = 0.3
"""Seconds that a thread waits for a crowd at most."""


class Crowd:
    """Noted by the loop's thread, and waited for by one other."""

    def __init__(self, longest_wait: float = LONGEST_WAIT, clock: Callable[[], float] = time.monotonic) -> None:
        self._longest_wait = longest_wait
        self._clock = clock
        self._gone = threading.Event()
        self._gone.set()
        self._waits_again = 0.0

    @property
    def is_there(self) -> bool:
        return not self._gone.is_set()

    def note(self, *, there: bool) -> None:
        """Note whether a turn of the loop has found a crowd."""
        if not there:
            self._gone.set()
        elif self._gone.is_set():
            self._gone.clear()

    def let_in(self) -> None:
        """Wait until no crowd is there, ``longest_wait`` seconds at most, and not again for as long as that took: where
        there always is a crowd, the caller goes on for half of the time."""
        if self.is_there and (began := self._clock()) >= self._waits_again:
            self._gone.wait(self._longest_wait)
            ended = self._clock()
            self._waits_again = ended + (ended - began)
