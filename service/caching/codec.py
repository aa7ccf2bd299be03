"""What an entry looks like as bytes.

An entry is a small *header*, read on every request, and a *body*, read only when an answer has to be made from it. The
header is MessagePack behind a BLAKE2b code keyed from ``CACHE_SECRET``; it names the body by its digest, so it vouches
for the body too. Whatever does not check out is no entry: a miss, never an error. Bodies are Zstandard, and no larger
when unpacked than the header says. No pickle.
"""

from __future__ import annotations

import hmac
import sys
from hashlib import blake2b
from typing import TypeVar

import msgspec

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

T = TypeVar("T")

_VERSION = b"\x01"
_MAC_SIZE = 16
_ZSTD_LEVEL = 1


class Header(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What is known of an entry without its body.

    ``outcome`` is ``value``, or the name of what was found instead (``absent``, ``unsupported``). ``fetched_at`` is
    when its fetch began, in seconds since the epoch. ``digest`` tells one content from another; ``size`` is the body's
    length unpacked, in bytes.
    """

    outcome: str
    may_change: bool
    fetched_at: float
    digest: bytes = b""
    size: int = 0


def digest_of(packed: bytes) -> bytes:
    return blake2b(packed, digest_size=16).digest()


class Sealer:
    """Packs and authenticates headers. Without a secret the code only finds damage, not forgery."""

    def __init__(self, secret: str | None) -> None:
        self._key = blake2b((secret or "").encode(), digest_size=32, person=b"cache-entry").digest()

    def seal(self, key: str, header: Header) -> bytes:
        packed = msgspec.msgpack.encode(header)
        return _VERSION + self._code(key, packed) + packed

    def open(self, key: str, sealed: bytes) -> Header | None:
        """The header stored under ``key``; ``None`` for anything that ``seal`` did not make for that very key."""
        if sealed[:1] != _VERSION:
            return None
        code, packed = sealed[1 : 1 + _MAC_SIZE], sealed[1 + _MAC_SIZE :]
        if not hmac.compare_digest(code, self._code(key, packed)):
            return None
        try:
            return msgspec.msgpack.decode(packed, type=Header)
        except msgspec.MsgspecError:
            return None

    def _code(self, key: str, packed: bytes) -> bytes:
        return blake2b(key.encode() + b"\0" + packed, key=self._key, digest_size=_MAC_SIZE).digest()


def pack(value: msgspec.Struct) -> bytes:
    return msgspec.msgpack.encode(value)


def unpack(packed: bytes, kind: type[T]) -> T:
    return msgspec.msgpack.decode(packed, type=kind)


def compress(packed: bytes) -> bytes:
    return zstd.compress(packed, _ZSTD_LEVEL)


def decompress(compressed: bytes, header: Header) -> bytes | None:
    """The body that ``header`` names; ``None`` where it is damaged, foreign or longer than the header says."""
    decompressor = zstd.ZstdDecompressor()
    try:
        packed = decompressor.decompress(compressed, max_length=header.size + 1)
    except zstd.ZstdError:
        return None
    return packed if len(packed) == header.size and digest_of(packed) == header.digest else None
