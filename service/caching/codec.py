"""What an entry looks like as bytes.

An entry is a small *header*, read on every request, and a *body*, read only when an answer has to be made from it. The
header is MessagePack behind a BLAKE2b code keyed from ``CACHE_SECRET``; it names the body by its digest, so it vouches
for the body too. Whatever does not check out is no entry: a miss, never an error. Bodies are Zstandard, and no larger
when unpacked than the header says, which is bounded before anything is unpacked. No pickle.
"""

from __future__ import annotations

import hmac
import sys
from collections.abc import Iterator
from hashlib import blake2b
from typing import Annotated, TypeVar

import msgspec

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

T = TypeVar("T")

Packed = tuple[bytes, ...]
"""A body as it is before compression: parts, so that a large one is never copied or worked on as a whole."""
Length = Annotated[int, msgspec.Meta(ge=0)]

LARGEST = 1024 * 1024 * 1024
"""Bytes of a body unpacked, unless told otherwise."""
_VERSION = b"\x03"
_MAC_SIZE = 16
_DIGEST_SIZE = 16
_ZSTD_LEVEL = 1
_LONGEST_HEADER = 256
_LONGEST_LENGTHS = 1024 * 1024
"""Bytes of the parts' lengths: 200,000 parts, where a million points are 500."""
_Moment = Annotated[float, msgspec.Meta(ge=0, le=1e11)]
_MALFORMED = (msgspec.MsgspecError, RecursionError, UnicodeDecodeError, IndexError)


class NotAnEntry(Exception):
    """A body that checks out holds something else than what it is read as: nothing that the service wrote."""


class Header(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What is known of an entry without its body.

    ``outcome`` is ``value``, or the name of what was found instead (``absent``, ``unsupported``). ``fetched_at`` is
    when its fetch began, in seconds since the epoch. ``digest`` tells one content from another; ``size`` is the body's
    length unpacked, in bytes. ``ended_until`` (since the epoch; 0 for never) is when the last value that an absence put
    an end to would be of no use to any process any more.
    """

    outcome: str
    may_change: bool
    fetched_at: _Moment
    digest: Annotated[bytes, msgspec.Meta(max_length=_DIGEST_SIZE)] = b""
    size: Length = 0
    ended_until: _Moment = 0.0


def digest_of(packed: Packed) -> bytes:
    """What tells one content from another: the parts and where they are divided."""
    digest = blake2b(digest_size=_DIGEST_SIZE)
    for part in packed:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.digest()


class Sealer:
    """Packs and authenticates headers. Without a secret the code only finds damage, not forgery.

    No header counts whose body would be larger than ``largest`` bytes.
    """

    def __init__(self, secret: str | None, largest: int = LARGEST) -> None:
        self._key = blake2b((secret or "").encode(), digest_size=32, person=b"cache-entry").digest()
        self._largest = largest

    def seal(self, key: str, header: Header) -> bytes:
        packed = msgspec.msgpack.encode(header)
        return _VERSION + self._code(key, packed) + packed

    def open(self, key: str, sealed: bytes) -> Header | None:
        """The header stored under ``key``; ``None`` for anything that ``seal`` did not make for that very key."""
        if sealed[:1] != _VERSION or len(sealed) > _LONGEST_HEADER:
            return None
        code, packed = sealed[1 : 1 + _MAC_SIZE], sealed[1 + _MAC_SIZE :]
        if not hmac.compare_digest(code, self._code(key, packed)):
            return None
        try:
            header = msgspec.msgpack.decode(packed, type=Header)
        except _MALFORMED:
            return None
        return header if header.size <= self._largest else None

    def _code(self, key: str, packed: bytes) -> bytes:
        return blake2b(key.encode() + b"\0" + packed, key=self._key, digest_size=_MAC_SIZE).digest()


def pack(value: msgspec.Struct) -> Packed:
    return (msgspec.msgpack.encode(value),)


def unpack(packed: Packed, kind: type[T]) -> T:
    """What the first part holds. Raises ``NotAnEntry`` where it is something else than a ``kind``."""
    try:
        return msgspec.msgpack.decode(packed[0], type=kind)
    except _MALFORMED as error:
        raise NotAnEntry from error


def size_of(packed: Packed) -> int:
    return sum(map(len, packed))


def compress(packed: Packed) -> bytes:
    """The parts' lengths, then the parts as one Zstandard frame; each is compressed by itself, never all at once."""
    lengths = msgspec.msgpack.encode([len(part) for part in packed])
    compressor = zstd.ZstdCompressor(_ZSTD_LEVEL)
    pieces = [len(lengths).to_bytes(4, "big"), lengths]
    pieces += [compressor.compress(part) for part in packed]
    pieces.append(compressor.flush())
    return b"".join(pieces)


def decompress(compressed: bytes, header: Header) -> Packed | None:
    """The body that ``header`` names; ``None`` where it is damaged, foreign or longer than the header says."""
    begin = 4 + int.from_bytes(compressed[:4], "big")
    if begin > _LONGEST_LENGTHS:
        return None
    try:
        lengths = msgspec.msgpack.decode(compressed[4:begin], type=list[Length])
        if sum(lengths) != header.size:
            return None
        packed = tuple(_parts(compressed[begin:], lengths))
    except (*_MALFORMED, zstd.ZstdError, EOFError):
        return None
    return packed if digest_of(packed) == header.digest else None


def _parts(compressed: bytes, lengths: list[int]) -> Iterator[bytes]:
    decompressor = zstd.ZstdDecompressor()
    for length in lengths:
        pieces, lacking = [], length
        while lacking:
            piece = decompressor.decompress(compressed, max_length=lacking)
            if not piece and (decompressor.needs_input or decompressor.eof):
                raise EOFError
            compressed = b""
            pieces.append(piece)
            lacking -= len(piece)
        yield b"".join(pieces) if len(pieces) > 1 else pieces[0] if pieces else b""
