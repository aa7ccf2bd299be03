"""Counts the slots that waiting threads have released."""

from __future__ import annotations

import threading

PATIENCE = 30


class Places:
    """A slot provider (``concurrency.blocking``) that says how many of its threads wait."""

    def __init__(self, most: int = 1000) -> None:
        self.released = 0
        self.most_released = 0
        self._most = most
        self._changed = threading.Condition()

    def release_slot(self) -> None:
        with self._changed:
            if self.released >= self._most:
                raise RuntimeError("too many wait")
            self.released += 1
            self.most_released = max(self.most_released, self.released)
            self._changed.notify_all()

    def reacquire_slot(self) -> None:
        with self._changed:
            self.released -= 1
            self._changed.notify_all()

    def until_lent(self, count: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self.released == count, PATIENCE)
