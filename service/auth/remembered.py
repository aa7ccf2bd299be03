"""Tokens that held, so that reading again costs a hash and not a signature."""

from __future__ import annotations

import threading
from collections import OrderedDict
from hashlib import blake2b

from service.domain.access import Principal

_MOST = 10_000
_LONGEST = 300.0


class Remembered:
    """Principals by the hash of their tokens, for five minutes at most and never past a token's end."""

    def __init__(self) -> None:
        self._kept: OrderedDict[bytes, tuple[float, Principal]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, encoded: str, now: float) -> Principal | None:
        kept = self._kept.get(_hash(encoded))
        return kept[1] if kept is not None and now < kept[0] else None

    def put(self, encoded: str, principal: Principal, now: float, leeway: float) -> None:
        with self._lock:
            self._kept[_hash(encoded)] = (min(now + _LONGEST, principal.expires_at + leeway), principal)
            while len(self._kept) > _MOST:
                self._kept.popitem(last=False)


def _hash(encoded: str) -> bytes:
    return blake2b(encoded.encode("latin-1", "replace"), digest_size=32).digest()
