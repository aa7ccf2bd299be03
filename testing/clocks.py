"""Clocks that tests set by hand."""

from __future__ import annotations


class Clock:
    """A clock that stands still until it is moved, in seconds."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def pass_(self, seconds: float) -> None:
        self.now += seconds
