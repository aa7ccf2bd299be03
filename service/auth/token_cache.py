"""A cache of verified tokens, so that further requests with one need a hash instead of a signature check."""

from __future__ import annotations

import secrets
from hashlib import blake2b

from service.auth.tokens import LONGEST, longest_field
from service.concurrency.bounded_map import BoundedMap
from service.domain.access import Principal

_MOST_BYTES = 48 * 1024 * 1024
_OVERHEAD = 2048
"""Bytes of a principal beside its token."""
_LONGEST_SECONDS = 300.0


class TokenCache:
    """Principals by the keyed hash of their ``Authorization`` field.

    An entry is valid for five minutes at most, so that the withdrawal of a key takes effect, and never beyond the
    principal's ``expires_at``. The least recently used ones are evicted.
    """

    def __init__(self, longest_token: int = LONGEST) -> None:
        self._longest_field = longest_field(longest_token)
        self._kept: BoundedMap[bytes, tuple[float, Principal]] = BoundedMap(_MOST_BYTES, _weight)
        self._keyed = blake2b(key=secrets.token_bytes(), digest_size=32)

    def get(self, authorization: str | None, now: float) -> Principal | None:
        """The principal, if this very field was verified before and is still valid."""
        if authorization is None or len(authorization) > self._longest_field:
            return None
        kept = self._kept.get(self._hash(authorization))
        return kept[1] if kept is not None and now < kept[0] else None

    def put(self, authorization: str, principal: Principal, now: float) -> None:
        until = min(now + _LONGEST_SECONDS, principal.expires_at)
        self._kept.keep(self._hash(authorization), (until, principal))

    def _hash(self, authorization: str) -> bytes:
        """The keyed hash; other characters than ASCII become ``?``, which no valid field contains."""
        hashing = self._keyed.copy()
        hashing.update(authorization.encode("ascii", "replace"))
        return hashing.digest()


def _weight(kept: tuple[float, Principal]) -> int:
    return _OVERHEAD + len(kept[1].token)
