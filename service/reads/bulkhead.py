"""Places for fetches, so divided that runs that are slow leave some for those that are not.

Half of the places are *patient*: a fetch may take all the time that its deadline gives. When they are taken, a key that
is not known to be slow may go by the *brief* half: a fetch there ends after ``brief`` seconds at the latest, and up to
``QUEUE`` others for each place wait for their turn. A key whose fetch took longer than that counts as slow for a
while; where no patient place is free it is refused at once. So a herd of slow runs fills the patient half, each of
them goes by the brief half once at most, and what is quick still gets through.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from service.concurrency.deadline import Deadline
from service.domain.errors import Overloaded
from service.telemetry.metrics import Telemetry

_log = logging.getLogger("service.runtimes")
QUEUE = 3
SLOW_FOR = 60.0
"""Seconds for which a key counts as slow after a slow fetch."""
_MOST_SLOW = 10_000
_SECONDS = 1.0
_LONGEST_TURN = 3.0
"""Seconds that a fetch may wait for its turn in the brief half."""

Work = Callable[[Deadline], Callable[[], None]]
"""Fetches by a deadline; what it returns tells those who wait, and is called once the place is free again."""


class Lanes:
    """Runs fetches, at most ``places`` at once. Safe from any thread."""

    def __init__(
        self,
        places: int,
        *,
        brief: float = _SECONDS,
        telemetry: Telemetry,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.brief = brief
        self._telemetry = telemetry
        self._clock = clock
        brief_places = places // 2
        self._patient = _Lane("patient", places - brief_places, 0)
        self._brief = _Lane("brief", brief_places, QUEUE * brief_places)
        self._slow: OrderedDict[str, float] = OrderedDict()
        self._refusing = False
        self._lock = threading.Lock()

    def begin(self, keys: Iterable[str], deadline: Deadline, work: Work) -> None:
        """Have ``work`` done, by the deadline it is given. Raises ``Overloaded`` where there is no place for it."""
        keys = tuple(keys)
        if self._patient.take():
            self._say(refusing=False)
            return self._submit(self._patient, keys, deadline, work)
        if not self._known_slow(keys) and self._brief.take():
            return self._submit(self._brief, keys, deadline, work)
        self._say(refusing=True)
        raise Overloaded("too many answers of the AI runtime are being waited for")

    def close(self) -> None:
        for lane in (self._patient, self._brief):
            lane.pool.shutdown(wait=False, cancel_futures=True)

    def _submit(self, lane: _Lane, keys: tuple[str, ...], deadline: Deadline, work: Work) -> None:
        turn = Deadline.after(_LONGEST_TURN)

        def fly() -> None:
            self._telemetry.fetch_began(lane.name)
            began = self._clock()
            try:
                tell = work(self._granted(lane, deadline, turn))
            finally:
                self._note(keys, self._clock() - began)
                lane.places.release()
                self._telemetry.fetch_ended(lane.name)
            tell()

        try:
            lane.pool.submit(fly)
        except RuntimeError as error:
            lane.places.release()
            raise Overloaded("the service is shutting down") from error

    def _say(self, *, refusing: bool) -> None:
        """One line of the log for each change."""
        with self._lock:
            if refusing is self._refusing:
                return
            self._refusing = refusing
        level, state = (logging.WARNING, "refusing") if refusing else (logging.INFO, "accepting")
        _log.log(level, "fetches of slow runs: %s", state, extra={"event": "lanes", "state": state})

    def _granted(self, lane: _Lane, deadline: Deadline, turn: Deadline) -> Deadline:
        """A turn that came too late is none: those who wait are better told so."""
        if lane is self._patient:
            return deadline
        return turn if turn.expired else deadline.sooner(self.brief)

    def _known_slow(self, keys: Iterable[str]) -> bool:
        now = self._clock()
        with self._lock:
            return any(self._slow.get(key, 0.0) > now for key in keys)

    def _note(self, keys: Iterable[str], seconds: float) -> None:
        slow = seconds >= self.brief
        with self._lock:
            for key in keys:
                self._slow.pop(key, None)
                if slow:
                    self._slow[key] = self._clock() + SLOW_FOR
            while len(self._slow) > _MOST_SLOW:
                self._slow.popitem(last=False)


class _Lane:
    def __init__(self, name: str, threads: int, queue: int) -> None:
        self.name = name
        self.places = threading.Semaphore(threads + queue)
        self.pool = ThreadPoolExecutor(max(1, threads), thread_name_prefix=f"fetch-{name}")

    def take(self) -> bool:
        return self.places.acquire(blocking=False)
