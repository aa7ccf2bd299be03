"""Bounds the number of concurrent exchanges with a runtime."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from service.concurrency.blocking import waiting
from service.concurrency.deadline import Deadline
from service.domain.errors import Overloaded
from service.telemetry.prometheus import Telemetry


class ConcurrencyLimit:
    """``places`` exchanges at once. Others wait up to ``longest_wait`` seconds, at most half of their remaining
    time."""

    def __init__(self, places: int, *, longest_wait: float = 1.0, telemetry: Telemetry) -> None:
        self._places = threading.BoundedSemaphore(places)
        self._longest_wait = longest_wait
        self._telemetry = telemetry

    @contextmanager
    def place(self, deadline: Deadline) -> Iterator[None]:
        """A place for as long as the context lasts. Raises ``Overloaded``."""
        with waiting():
            has_place = self._places.acquire(timeout=min(self._longest_wait, deadline.remaining() / 2))
        if not has_place:
            self._telemetry.refusal("overloaded")
            raise Overloaded("too many exchanges with the AI runtime are in progress")
        try:
            yield
        finally:
            self._places.release()
