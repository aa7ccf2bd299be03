"""Cursors: where a sequence of pages goes on, in which snapshot.

A cursor is opaque to clients and signed, so that it goes on with what it was given for and nothing else: the same
resource and query, read by the same tenant, resource group and, where the caller's token goes upstream, caller. What a
cursor names is looked up among the entries of whoever presents it, so that even a forged one would open nothing.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Sequence
from hashlib import blake2b

import msgspec

from service.api.schemas import NO_CURSOR
from service.domain.errors import Fault, InvalidParameter
from service.domain.reading import Snapshot

_MAC_SIZE = 16
_LONGEST = 512


class Cursor(msgspec.Struct, frozen=True, array_like=True):
    """``position``: how many items of the ``snapshot`` came before."""

    snapshot: Snapshot
    position: int


class Cursors:
    """Writes and reads cursors; all processes of a service share the ``secret``."""

    def __init__(self, secret: bytes) -> None:
        self._key = blake2b(secret, digest_size=32, person=b"cursor").digest()

    def write(self, cursor: Cursor, view: Sequence[str]) -> str:
        """The cursor's text; ``view`` is all that it is bound to."""
        packed = msgspec.msgpack.encode(cursor)
        return base64.urlsafe_b64encode(self._code(packed, view) + packed).rstrip(b"=").decode("ascii")

    def read(self, text: str, view: Sequence[str]) -> Cursor:
        """Raises ``InvalidParameter`` for what ``write`` did not make for that very view."""
        try:
            if len(text) > _LONGEST:
                raise ValueError(NO_CURSOR)
            decoded = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            code, packed = decoded[:_MAC_SIZE], decoded[_MAC_SIZE:]
            if not hmac.compare_digest(code, self._code(packed, view)):
                raise ValueError(NO_CURSOR)
            return msgspec.msgpack.decode(packed, type=Cursor)
        except (ValueError, binascii.Error, msgspec.MsgspecError) as error:
            raise InvalidParameter([Fault("cursor", NO_CURSOR)]) from error

    def _code(self, packed: bytes, view: Sequence[str]) -> bytes:
        code = blake2b(key=self._key, digest_size=_MAC_SIZE)
        for part in (packed, *(each.encode("utf-8", "surrogatepass") for each in view)):
            code.update(len(part).to_bytes(4, "big"))
            code.update(part)
        return code.digest()
