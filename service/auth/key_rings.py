"""Keys fetched from an issuer: kept, refreshed ahead of time, and fetched anew for a key id not seen before.

A fetch runs beside the requests: those that need none of its keys are not held up, and an issuer that is down, slow or
answers garbage changes nothing for keys that are known. How often an issuer is asked is bounded whatever tokens say.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable

from service.auth.keys import VerificationKey, read_key_set
from service.domain.errors import KeysUnavailable, ServiceError

Fetch = Callable[[str, float, int], bytes]

FETCH_SECONDS = 5.0
FETCH_BYTES = 512 * 1024
_REFRESH_AFTER = 300.0
_UNKNOWN_KEY_PAUSE = 10.0
_FAILURE_PAUSE = 2.0
_PATIENCE = 3.0
_log = logging.getLogger("service.auth")


class KeyRing:
    """The keys of one key set. ``load`` gets its document; times in seconds. Safe from any thread."""

    def __init__(self, name: str, load: Callable[[], bytes], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._name = name
        self._load = load
        self._clock = clock
        self._keys: tuple[VerificationKey, ...] = ()
        self._loaded_at: float | None = None
        self._asked_at = float("-inf")
        self._failing = False
        self._under_way: threading.Event | None = None
        self._lock = threading.Lock()

    @property
    def loaded(self) -> bool:
        return self._loaded_at is not None

    def keys(self, key_id: str | None, algorithm: str) -> list[VerificationKey]:
        """The keys a token may have been signed with: those of its key id, or without one the only suitable key.

        Raises ``KeysUnavailable`` where no key was ever loaded.
        """
        found = self._matching(key_id, algorithm)
        if found and not self._due(_REFRESH_AFTER):
            return found
        if found:
            self._begin(_FAILURE_PAUSE)
            return found
        begun = self._begin(_UNKNOWN_KEY_PAUSE if self.loaded else _FAILURE_PAUSE)
        if begun is not None:
            begun.wait(_PATIENCE)
        if not self.loaded:
            raise KeysUnavailable("the keys of the token's issuer cannot be loaded now")
        return self._matching(key_id, algorithm)

    def refresh(self) -> None:
        """Fetch the keys if they are missing or old."""
        if not self.loaded or self._due(_REFRESH_AFTER * 0.8):
            self._begin(_FAILURE_PAUSE)

    def _matching(self, key_id: str | None, algorithm: str) -> list[VerificationKey]:
        suitable = [key for key in self._keys if algorithm in key.algorithms]
        if key_id is not None:
            return [key for key in suitable if key.key_id == key_id]
        return suitable if len(suitable) == 1 else []

    def _due(self, after: float) -> bool:
        return self._loaded_at is None or self._clock() - self._loaded_at >= after

    def _begin(self, pause: float) -> threading.Event | None:
        """The fetch under way, or a new one unless the last was less than ``pause`` ago."""
        with self._lock:
            if self._under_way is not None:
                return self._under_way
            if self._clock() - self._asked_at < pause:
                return None
            self._asked_at = self._clock()
            done = self._under_way = threading.Event()
        threading.Thread(target=self._fetch, args=(done,), name="keys", daemon=True).start()
        return done

    def _fetch(self, done: threading.Event) -> None:
        try:
            keys = read_key_set(self._load())
            if not keys:
                raise ValueError("no usable key")
        except (ServiceError, ValueError, RecursionError) as error:
            self._tell(failing=True, why=type(error).__name__)
        else:
            self._keys, self._loaded_at = keys, self._clock()
            self._tell(failing=False, why=f"{len(keys)} keys")
        finally:
            self._under_way = None
            done.set()

    def _tell(self, *, failing: bool, why: str) -> None:
        if failing != self._failing or not (failing or self.loaded):
            level = logging.WARNING if failing else logging.INFO
            _log.log(
                level,
                "keys %s",
                "unavailable" if failing else "loaded",
                extra={"event": "keys", "issuer": self._name, "why": why},
            )
        self._failing = failing


def discovered(issuer: str, fetch: Fetch) -> bytes:
    """The key set that an issuer's discovery document points to (OpenID Connect Discovery 1.0, 4).

    Raises ``ValueError`` where the document is not that issuer's, or points to a less safe place.
    """
    document = json_object(fetch(f"{issuer.rstrip('/')}/.well-known/openid-configuration", FETCH_SECONDS, FETCH_BYTES))
    if document.get("issuer") != issuer:
        raise ValueError("the discovery document is another issuer's")
    location = document.get("jwks_uri")
    if not isinstance(location, str) or not location.startswith(
        ("https://", issuer.split("://", maxsplit=1)[0] + "://")
    ):
        raise ValueError("the discovery document names no usable key set")
    return fetch(location, FETCH_SECONDS, FETCH_BYTES)


def json_object(document: bytes) -> dict[str, object]:
    found = json.loads(document)
    if not isinstance(found, dict):
        raise ValueError("not a JSON object")
    return found
