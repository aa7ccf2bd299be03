"""Keys fetched from an issuer: kept, refreshed ahead of time, and fetched anew for a key id not seen before.

A fetch runs beside the requests: those that need none of its keys are not held up, and an issuer that is down, slow or
answers garbage changes nothing for keys that are known. How often an issuer is asked is bounded whatever tokens say,
and so is how many wait for it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from enum import Enum

from service.auth.verification_keys import VerificationKey, read_key_set
from service.concurrency.background import in_background
from service.concurrency.single_flight import Flight, SingleFlight
from service.domain.errors import BadGateway, KeysUnavailable, ServiceError

Fetch = Callable[[str, float, int, Mapping[str, str]], bytes]
"""Gets the body of a 200 from a URL, within seconds and bytes, by a request with these headers; raises
``RuntimeTrouble`` for all else."""

FETCH_SECONDS = 5.0
FETCH_BYTES = 512 * 1024
_REFRESH_AFTER = 300.0
_REFRESH_AHEAD = 240.0
_PAUSE = 10.0
_FIRST_PAUSE = 1.0
_PATIENCE = 2.0
_MOST_WAITING = 32
_FEW_WAITING = 8
_KEYS = "keys"
_log = logging.getLogger("service.auth")


class State(Enum):
    """How the last fetch ended: with keys, with an answer that is none, or without an answer."""

    UNASKED = "unasked"
    LOADED = "loaded"
    REFUSED = "refused"
    FAILED = "failed"


class Places:
    """For so many threads at once."""

    def __init__(self, most: int = _MOST_WAITING) -> None:
        self._free = threading.BoundedSemaphore(most)

    @contextmanager
    def one(self) -> Iterator[bool]:
        """Whether there is one for this thread."""
        taken = self._free.acquire(blocking=False)
        try:
            yield taken
        finally:
            if taken:
                self._free.release()


class KeyRing:
    """The keys of one key set. ``load`` gets its document; ``clock`` in seconds. Safe from any thread.

    Whoever waits for keys takes one of ``places``, which rings may share, and does not wait where there is none.
    Between two fetches lie ten seconds, fewer as long as none has ever succeeded: one at first, twice as many each
    time.
    """

    def __init__(
        self, name: str, load: Callable[[], bytes], places: Places, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._name = name
        self._load = load
        self._clock = clock
        self._keys: tuple[VerificationKey, ...] = ()
        self._loaded_at: float | None = None
        self._asked_at = float("-inf")
        self._failures = 0
        self._state = State.UNASKED
        self._fetches: SingleFlight[None] = SingleFlight()
        self._places = places
        self._few = Places(_FEW_WAITING)
        self._lock = threading.Lock()

    @property
    def loaded(self) -> bool:
        """Whether keys were ever loaded; they are kept whatever comes later."""
        return self._loaded_at is not None

    @property
    def state(self) -> State:
        return self._state

    def keys(self, key_id: str | None, algorithm: str) -> list[VerificationKey]:
        """The keys a token may have been signed with: those of its key id, or without one the only suitable key.

        Raises ``KeysUnavailable`` where no key was ever loaded, ``Overloaded`` where too many threads wait already.
        """
        keys = self._keys
        found = _matching(keys, key_id, algorithm)
        if found:
            if self._older_than(_REFRESH_AFTER):
                self._begin()
            return found
        if key_id is None or all(key.key_id != key_id for key in keys):
            self._wait(self._begin())
        if not self.loaded:
            raise KeysUnavailable("the keys of the token's issuer cannot be loaded now")
        return _matching(self._keys, key_id, algorithm)

    def refresh(self) -> None:
        """Fetch the keys if they are missing or old."""
        if self._older_than(_REFRESH_AHEAD):
            self._begin()

    def _older_than(self, seconds: float) -> bool:
        return self._loaded_at is None or self._clock() - self._loaded_at >= seconds

    def _pause(self) -> float:
        return _PAUSE if self.loaded else min(_PAUSE, _FIRST_PAUSE * 2 ** min(self._failures, 10) / 2)

    def _begin(self) -> Flight[None] | None:
        """The fetch under way, or a new one unless the last began too short a time ago."""

        def begin(_: tuple[str, ...]) -> Future[Mapping[str, None]]:
            self._asked_at = now
            return in_background(self._fetch, _KEYS)

        with self._lock:
            now = self._clock()
            if now - self._asked_at < self._pause():
                return self._fetches.get(_KEYS)
            return self._fetches.join((_KEYS,), begin)[_KEYS][0]

    def _wait(self, fetch: Flight[None] | None) -> None:
        """Wait for a fetch, unless it has run for so long that no request should wait for it.

        Where keys are known already only a few do: unknown key ids are mostly made up.
        """
        if fetch is None:
            return
        with self._places.one() as free, self._few.one() as among_few:
            if free and (among_few or not self.loaded):
                fetch.wait(max(0.0, _PATIENCE - fetch.age))

    def _fetch(self) -> Mapping[str, None]:
        state, why = State.FAILED, "unexpected error"
        try:
            keys = read_key_set(self._load())
            self._keys, self._loaded_at = keys, self._clock()
            state, why = State.LOADED, f"{len(keys)} keys"
        except (BadGateway, ValueError) as error:
            state, why = State.REFUSED, type(error).__name__
        except ServiceError as error:
            why = type(error).__name__
        except Exception:  # noqa: BLE001 - nobody else hears of it
            _log.exception("unexpected error while keys were fetched", extra={"event": "keys", "issuer": self._name})
        finally:
            self._settle(state, why)
        return {_KEYS: None}

    def _settle(self, state: State, why: str) -> None:
        """Note how a fetch ended, with one line in the log where that is another end than the last one's."""
        before, self._state = self._state, state
        self._failures = 0 if state is State.LOADED else self._failures + 1
        if state is not before:
            well = state is State.LOADED
            extra = {"event": "keys", "state": state.value, "issuer": self._name, "reason": why}
            _log.log(logging.INFO if well else logging.WARNING, "keys %s", state.value, extra=extra)


def _matching(keys: tuple[VerificationKey, ...], key_id: str | None, algorithm: str) -> list[VerificationKey]:
    suitable = [key for key in keys if algorithm in key.algorithms]
    if key_id is not None:
        return [key for key in suitable if key.key_id == key_id]
    return suitable if len(suitable) == 1 else []
