"""Keys fetched from an issuer: kept, refreshed ahead of time, and fetched again for an unknown key id.

Fetches run in the background: requests that do not need their keys are not delayed, and an issuer that is down, slow or
broken has no effect on known keys. The rate of fetches is bounded whatever key ids tokens have, and so is the number of
requests that wait for them.
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
"""Fetches the body of a 200 from a URL within seconds and bytes, with these request headers; otherwise raises
``RuntimeTrouble``."""

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
    """The result of the last fetch: keys, an answer without keys, or no answer."""

    UNASKED = "unasked"
    LOADED = "loaded"
    REFUSED = "refused"
    FAILED = "failed"


class Places:
    """Places for threads that wait for keys."""

    def __init__(self, most: int = _MOST_WAITING) -> None:
        self._free = threading.BoundedSemaphore(most)

    @contextmanager
    def one(self) -> Iterator[bool]:
        """A place, if there is one left."""
        taken = self._free.acquire(blocking=False)
        try:
            yield taken
        finally:
            if taken:
                self._free.release()


class KeyRing:
    """The keys of one key set. ``load`` fetches its document; ``clock`` in seconds. Thread-safe.

    A thread that waits for keys takes one of ``places``, which rings may share; without a place it does not wait.
    Fetches are ten seconds apart; before the first success one second, doubled each time.
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
        """Whether keys were ever loaded; later failures do not remove them."""
        return self._loaded_at is not None

    @property
    def state(self) -> State:
        return self._state

    def keys(self, key_id: str | None, algorithm: str) -> list[VerificationKey]:
        """The keys that may have signed a token: those of its key id, or without one the only suitable key.

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
        """The fetch under way, or a new one unless the last was too recent."""

        def begin(_: tuple[str, ...]) -> Future[Mapping[str, None]]:
            self._asked_at = now
            return in_background(self._fetch, _KEYS)

        with self._lock:
            now = self._clock()
            if now - self._asked_at < self._pause():
                return self._fetches.get(_KEYS)
            return self._fetches.join((_KEYS,), begin)[_KEYS][0]

    def _wait(self, fetch: Flight[None] | None) -> None:
        """Wait for a fetch, unless it has already taken too long.

        Where keys are known already, only a few requests wait: unknown key ids are mostly forged.
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
        except Exception:  # noqa: BLE001 - the thread has no caller
            _log.exception("unexpected error while fetching keys", extra={"event": "keys", "issuer": self._name})
        finally:
            self._settle(state, why)
        return {_KEYS: None}

    def _settle(self, state: State, why: str) -> None:
        """Record the result of a fetch, and log it where it differs from the last one."""
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
