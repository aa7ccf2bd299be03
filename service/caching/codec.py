"""The binary format of entries.

An entry is a small *header*, read on every request, and a *body*, read only when an answer has to be made from it. The
header is MessagePack behind a BLAKE2b code keyed from ``CACHE_SECRET``; it has the body's digest, so it
authenticates the body too. An entry that fails a check is a miss, never an error. No pickle.

A body consists of an *index* of lengths and digests, and parts, each a Zstandard frame, so that one part can be
unpacked and checked without the others. The header's digest is that of the index. No part is unpacked beyond its length
in the index, and their sum, which is bounded before anything is unpacked, has to be the header's. The first part, small
where the others are large, is stored with the index; the others are stored separately and loaded when one is needed.
"""

from __future__ import annotations

import hmac
import sys
from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b, sha256
from itertools import accumulate
from typing import Annotated, NamedTuple, TypeVar

import msgspec

from service.concurrency.decoders import msgpack_decoder
from service.domain.lazy_sequence import LazySequence

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

T = TypeVar("T")

Packed = Sequence[bytes]
"""An uncompressed body in parts, so that a large one is never processed as a whole."""
Length = Annotated[int, msgspec.Meta(ge=0)]

LARGEST = 1024 * 1024 * 1024
"""The largest unpacked body by default, in bytes."""
_VERSION = b"\x05"
_MAC_SIZE = 16
_DIGEST_SIZE = 16
_ZSTD: Mapping[int, int] = {
    zstd.CompressionParameter.compression_level: 1,
    zstd.CompressionParameter.hash_log: 10,
    zstd.CompressionParameter.min_match: 7,
}
"""A small table of hashes holds what was written last, which is what the next point is like: points take a tenth less
time than by level 1 alone, and a tenth fewer bytes."""
_PREFIX = 4
_LONGEST_HEADER = 256
_LONGEST_STATUS = 20
_LONGEST_INDEX = 1024 * 1024
"""The longest index in bytes: some 45,000 parts; a million points are 500."""
_Moment = Annotated[float, msgspec.Meta(ge=0, le=1e11)]
_MALFORMED = (msgspec.MsgspecError, RecursionError, UnicodeDecodeError, IndexError)


class ContentGone(Exception):
    """The content has left the store, though its header was still there: read again, past the store."""


class NotAnEntry(Exception):
    """An authentic body has another type than expected: the service has not written it under this key."""


class Header(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The header of an entry: what is known without its body.

    ``outcome`` is ``value``, or the name of what was found instead (``absent``, ``unsupported``). ``fetched_at`` is
    when its fetch began, in seconds since the epoch. ``digest`` identifies the content (``digest_of``);
    ``size`` is the body's length unpacked, in bytes. For an absence,
    ``ended_until`` (since the epoch; 0 for never) is when the last value before it will have expired everywhere.
    ``status`` is that of the run when it was fetched, where it is a run's metrics.
    """

    outcome: str
    may_change: bool
    fetched_at: _Moment
    digest: Annotated[bytes, msgspec.Meta(max_length=_DIGEST_SIZE)] = b""
    size: Length = 0
    ended_until: _Moment = 0.0
    status: Annotated[str, msgspec.Meta(max_length=_LONGEST_STATUS)] = ""


class Part(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A part's length and digest, unpacked."""

    length: Length
    digest: bytes


class _Index(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The index of a body; ``frames`` are the compressed lengths of the parts."""

    parts: list[Part]
    frames: list[Length]


class Compressed(NamedTuple):
    """A compressed body: the index with the first part, and the other parts (empty where there is only one)."""

    head: bytes
    rest: bytes


def parts_of(packed: Packed) -> Sequence[Part]:
    """The lengths and digests of a content's parts."""
    return [Part(len(part), _digest(part)) for part in packed]


def digest_of(packed: Packed) -> bytes:
    """The digest of a content and of its division into parts."""
    return digest_of_parts(parts_of(packed))


def digest_of_parts(parts: Sequence[Part]) -> bytes:
    """The digest of the content with these parts."""
    return _digest(msgspec.msgpack.encode(parts))


def _digest(data: bytes) -> bytes:
    """SHA-256, truncated: processors have instructions for it, and BLAKE2b takes twice as long for large contents."""
    return sha256(data).digest()[:_DIGEST_SIZE]


class Sealer:
    """Packs and authenticates headers. Without a secret the code detects damage only, not forgery.

    A header whose body would be larger than ``largest`` bytes is not accepted.
    """

    def __init__(self, secret: str | None, largest: int = LARGEST) -> None:
        self._key = blake2b((secret or "").encode(), digest_size=32, person=b"cache-entry").digest()
        self._largest = largest

    def seal(self, key: str, header: Header) -> bytes:
        packed = msgspec.msgpack.encode(header)
        return _VERSION + self._code(key, packed) + packed

    def open(self, key: str, sealed: bytes) -> Header | None:
        """The header stored under ``key``; ``None`` for anything that ``seal`` has not made for the same key."""
        if sealed[:1] != _VERSION or len(sealed) > _LONGEST_HEADER:
            return None
        code, packed = sealed[1 : 1 + _MAC_SIZE], sealed[1 + _MAC_SIZE :]
        if not hmac.compare_digest(code, self._code(key, packed)):
            return None
        try:
            header = msgpack_decoder(Header).decode(packed)
        except _MALFORMED:
            return None
        return header if header.size <= self._largest else None

    def _code(self, key: str, packed: bytes) -> bytes:
        return blake2b(key.encode() + b"\0" + packed, key=self._key, digest_size=_MAC_SIZE).digest()


def pack(value: msgspec.Struct) -> Packed:
    return (msgspec.msgpack.encode(value),)


def unpack(packed: Packed, kind: type[T]) -> T:
    """The object in the first part. Raises ``NotAnEntry`` where it is missing or not a ``kind``."""
    if not packed:
        raise NotAnEntry
    return unpack_part(packed[0], kind)


def unpack_part(part: bytes, kind: type[T]) -> T:
    """The object in a part. Raises ``NotAnEntry`` where it is not a ``kind``."""
    try:
        return msgpack_decoder(kind).decode(part)
    except _MALFORMED as error:
        raise NotAnEntry from error


def unpack_each(parts: Sequence[bytes], kind: type[T]) -> list[T]:
    """The objects in several parts. Raises ``NotAnEntry`` where one is not a ``kind``."""
    try:
        return list(map(msgpack_decoder(kind).decode, parts))
    except _MALFORMED as error:
        raise NotAnEntry from error


def size_of(packed: Packed) -> int:
    return sum(map(len, packed))


def compress(packed: Packed, parts: Sequence[Part] | None = None) -> Compressed:
    """Compress each part separately; ``parts`` is the result of ``parts_of``, where that is known."""
    frames = [zstd.compress(part, options=_ZSTD) for part in packed]
    named = list(parts_of(packed) if parts is None else parts)
    index = msgspec.msgpack.encode(_Index(named, list(map(len, frames))))
    head = b"".join((len(index).to_bytes(_PREFIX, "big"), index, *frames[:1]))
    return Compressed(head, b"".join(frames[1:]))


def decompress(head: bytes, header: Header, rest: Callable[[], bytes | None]) -> Packed | None:
    """The body of ``header``; parts after the first are unpacked and checked when they are accessed.

    ``None`` where it is damaged, foreign or of another length than the header says. Accessing another part raises
    ``ContentGone`` where ``rest``, which is called on the first access, returns nothing or the part is damaged.
    """
    begin = _PREFIX + int.from_bytes(head[:_PREFIX], "big")
    if begin > _LONGEST_INDEX:
        return None
    try:
        index = msgpack_decoder(_Index).decode(head[_PREFIX:begin])
    except _MALFORMED:
        return None
    if len(index.parts) != len(index.frames) or not index.parts or len(head) != begin + index.frames[0]:
        return None
    if sum(part.length for part in index.parts) != header.size or digest_of_parts(index.parts) != header.digest:
        return None
    first = _checked(index.parts[0], memoryview(head)[begin:])
    return None if first is None else _Parts(index, first, rest)


class _Parts(LazySequence[bytes]):
    """The parts of a stored body."""

    def __init__(self, index: _Index, first: bytes, rest: Callable[[], bytes | None]) -> None:
        self._index = index
        self._first = first
        self._load = rest
        self._rest: memoryview | None = None
        self._ends = list(accumulate(index.frames[1:], initial=0))

    def __len__(self) -> int:
        return len(self._index.parts)

    def _load_element(self, number: int) -> bytes:
        if not number:
            return self._first
        text = _checked(self._index.parts[number], self._frame(number))
        if text is None:
            raise ContentGone
        return text

    def _frame(self, number: int) -> memoryview:
        if self._rest is None:
            rest = self._load()
            if rest is None or len(rest) != self._ends[-1]:
                raise ContentGone
            self._rest = memoryview(rest)
        return self._rest[self._ends[number - 1] : self._ends[number]]


def _checked(part: Part, frame: memoryview) -> bytes | None:
    """The part in the frame; ``None`` where it does not match the index."""
    text = _unpacked(frame, part.length)
    return text if text is not None and _digest(text) == part.digest else None


def _unpacked(frame: memoryview, length: int) -> bytes | None:
    """An unpacked frame; ``None`` where its length is not ``length``, beyond which nothing is unpacked."""
    decompressor = zstd.ZstdDecompressor()
    pieces: list[bytes] = []
    lacking = length
    data: memoryview | bytes = frame
    try:
        while not decompressor.eof:
            piece = decompressor.decompress(data, max_length=lacking + 1)
            lacking -= len(piece)
            if lacking < 0 or (not piece and decompressor.needs_input):
                return None
            data = b""
            pieces.append(piece)
    except (zstd.ZstdError, EOFError):
        return None
    if lacking:
        return None
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)
