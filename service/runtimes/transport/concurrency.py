"""Bounds how many exchanges with a runtime are under way at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from service.concurrency.blocking import waiting
from service.concurrency.bounded_map import BoundedMap
from service.concurrency.deadline import Deadline
from service.domain.errors import Overloaded, RateLimited
from service.runtimes.transport.retries import LONGEST, whole_seconds
from service.telemetry.prometheus import Telemetry


class ConcurrencyLimit:
    """``places`` exchanges at once. Others wait up to ``longest_wait`` seconds, never over half of what they have."""

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
            raise Overloaded("too many exchanges with the AI runtime are under way")
        try:
            yield
        finally:
            self._places.release()


_MOST = 1000


class RateLimits:
    """The limits of one runtime: one for the service, one for each caller whose own token is sent. Thread-safe.

    Clients get the runtime's own ``Retry-After``; the runtime is asked again after ``LONGEST`` seconds at the latest.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until: BoundedMap[int, tuple[float, float]] = BoundedMap(_MOST)

    def check(self, caller_token: str | None) -> None:
        """Raises ``RateLimited`` while a limit lasts."""
        silent_until, limited_until = self._until.get(hash(caller_token)) or (0.0, 0.0)
        now = self._clock()
        if now < silent_until:
            raise RateLimited(whole_seconds(limited_until - now))

    def note(self, caller_token: str | None, seconds: float) -> None:
        """A limit was met that lasts for ``seconds``."""
        now = self._clock()
        self._until.keep(hash(caller_token), (now + min(seconds, LONGEST), now + seconds))
