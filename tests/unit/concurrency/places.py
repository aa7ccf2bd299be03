"""Whose threads' places are lent: counts them."""

from __future__ import annotations

import threading

PATIENCE = 30


class Places:
    """A lender (``concurrency.blocking``) that says how many of its threads wait."""

    def __init__(self, most: int = 1000) -> None:
        self.lent = 0
        self.most_lent = 0
        self._most = most
        self._changed = threading.Condition()

    def release_slot(self) -> None:
        with self._changed:
            if self.lent >= self._most:
                raise RuntimeError("too many wait")
            self.lent += 1
            self.most_lent = max(self.most_lent, self.lent)
            self._changed.notify_all()

    def reacquire_slot(self) -> None:
        with self._changed:
            self.lent -= 1
            self._changed.notify_all()

    def until_lent(self, count: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self.lent == count, PATIENCE)
