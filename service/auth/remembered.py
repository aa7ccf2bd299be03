"""Tokens that held, so that reading one again costs a hash and not a signature."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from hashlib import blake2b

from service.auth.tokens import LONGEST, longest_field
from service.domain.access import Principal

_MOST = 10_000
_MOST_CHARACTERS = 32 * 1024 * 1024
_LONGEST_SECONDS = 300.0


class Remembered:
    """Principals by the keyed hash of the ``Authorization`` field that named them.

    An entry counts for five minutes at most, so that a key that is withdrawn is missed soon, and never past the
    token's ``exp``. The oldest go first when there are too many, or too much text in them.
    """

    def __init__(self, longest_token: int = LONGEST) -> None:
        self._longest_field = longest_field(longest_token)
        self._kept: OrderedDict[bytes, tuple[float, Principal]] = OrderedDict()
        self._characters = 0
        self._keyed = blake2b(key=secrets.token_bytes(32), digest_size=32)
        self._lock = threading.Lock()

    def get(self, authorization: str | None, now: float) -> Principal | None:
        """The principal, if this very field held before and still does. Takes no lock."""
        if authorization is None or len(authorization) > self._longest_field:
            return None
        kept = self._kept.get(self._hash(authorization))
        return kept[1] if kept is not None and now < kept[0] else None

    def put(self, authorization: str, principal: Principal, now: float) -> None:
        until = min(now + _LONGEST_SECONDS, principal.expires_at)
        with self._lock:
            self._drop(self._hash(authorization))
            self._kept[self._hash(authorization)] = (until, principal)
            self._characters += len(principal.token)
            while len(self._kept) > _MOST or self._characters > _MOST_CHARACTERS:
                self._drop(next(iter(self._kept)))

    def _drop(self, key: bytes) -> None:
        dropped = self._kept.pop(key, None)
        if dropped is not None:
            self._characters -= len(dropped[1].token)

    def _hash(self, authorization: str) -> bytes:
        """What is no ASCII cannot have held: it becomes ``?``, which no field that held has in it."""
        hashing = self._keyed.copy()
        hashing.update(authorization.encode("ascii", "replace"))
        return hashing.digest()
