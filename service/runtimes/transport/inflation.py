"""Decodes content codings (RFC 9110, 8.4.1) step by step, in bounded memory.

A step yields at most 1 MiB. A compression bomb is recognised by its size or, long before that, by its ratio: real
answers of the AI API compress ten to thirty times; beyond 32 MiB, a ratio of more than 250 is refused.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from http.client import IncompleteRead
from typing import Protocol, cast

import brotli
from isal import igzip_lib, isal_zlib
from urllib3 import BaseHTTPResponse

from service.domain.errors import AnswerTooLarge, BadGateway
from service.runtimes.transport.budget import Budget

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

ACCEPTED = "gzip, deflate, br, zstd"
ERRORS: tuple[type[Exception], ...] = (cast(type[Exception], isal_zlib.error), brotli.error, zstd.ZstdError)
"""The decompressors' exceptions for malformed data."""

_STEP = 1024 * 1024
_RATIO, _RATIO_FROM = 250, 32 * 1024 * 1024
_WINDOW_LOG = 23
"""RFC 9659: a zstd window of at most 8 MiB."""


class Stream(Protocol):
    """One compressed stream, as the standard library's decompressors behave."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class _Brotli:
    """A brotli stream; data after its end is an error."""

    unused_data = b""

    def __init__(self) -> None:
        self._decompressor = brotli.Decompressor()
        self._drained = True

    @property
    def eof(self) -> bool:
        return bool(self._decompressor.is_finished())

    @property
    def needs_input(self) -> bool:
        return self._drained and bool(self._decompressor.can_accept_more_data())

    def decompress(self, data: bytes, max_length: int) -> bytes:
        step: bytes = self._decompressor.process(data, output_buffer_limit=max_length)
        self._drained = not step  # it accepts more input while output is pending
        return step


def _gzip() -> Stream:
    return igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP)


def _zlib() -> Stream:
    return igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_ZLIB)


def _zstd() -> Stream:
    return zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: _WINDOW_LOG})


_STREAMS: dict[str, Callable[[], Stream]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _zlib,
    "br": _Brotli,
    "zstd": _zstd,
}


def coding_of(content_encoding: str | None) -> str | None:
    """The one coding of an answer, ``None`` for identity. Raises ``BadGateway`` for others and for several."""
    coding = (content_encoding or "identity").strip().lower()
    if coding == "identity":
        return None
    if coding not in _STREAMS:
        raise BadGateway("the AI runtime's answer has a content coding that was not requested")
    return coding


def inflate(pieces: Iterable[bytes], coding: str, most: int, keep_on: Callable[[], object]) -> bytes:
    """Decompress to at most ``most`` bytes. ``keep_on`` is called before each step and may raise to stop.

    Raises ``AnswerTooLarge``, ``BadGateway`` for a stream that ends early, and ``ERRORS`` for a malformed one.
    """
    inflation = _Inflation(_STREAMS[coding], most, keep_on)
    for piece in pieces:
        inflation.feed(piece)
    return inflation.finish()


class _Inflation:
    def __init__(self, make: Callable[[], Stream], most: int, keep_on: Callable[[], object]) -> None:
        self._make = make
        self._stream = make()
        self._most = most
        self._keep_on = keep_on
        self._steps: list[bytes] = []
        self._taken = self._given = 0

    def feed(self, data: bytes) -> None:
        self._taken += len(data)
        while data or not (self._stream.eof or self._stream.needs_input):
            if self._stream.eof:
                self._stream = self._make()  # another member (RFC 1952, 2.2) or frame (RFC 8878, 3.1)
            self._keep_on()
            self._keep(self._stream.decompress(data, _STEP))
            data = self._stream.unused_data if self._stream.eof else b""

    def finish(self) -> bytes:
        if self._taken and not self._stream.eof:
            raise BadGateway("the AI runtime's compressed answer ends early")
        return b"".join(self._steps)

    def _keep(self, step: bytes) -> None:
        self._given += len(step)
        if self._given > self._most:
            raise AnswerTooLarge
        if self._given > _RATIO_FROM and self._given > _RATIO * self._taken:
            raise BadGateway("the compression ratio of the AI runtime's answer exceeds the limit")
        if step:
            self._steps.append(step)


_PIECE = 1024 * 1024
_COMPRESSED_PIECE = 64 * 1024


def read_body(raw: BaseHTTPResponse, most: int, budget: Budget) -> bytes:
    """The decompressed body, of at most ``most`` bytes before and after decompression.

    Raises ``AnswerTooLarge``, ``BadGateway`` where it has another coding, ``IncompleteRead`` where the connection ended
    early.
    """
    coding = coding_of(raw.headers.get("Content-Encoding"))
    length = raw.length_remaining
    if length is not None and length > most:
        raise AnswerTooLarge
    if coding is not None:
        return inflate(_pieces(raw, _COMPRESSED_PIECE, most), coding, most, budget.seconds)
    return b"".join(_pieces(raw, _PIECE, most)) if length is None else _exactly(raw, length)


def _exactly(raw: BaseHTTPResponse, length: int) -> bytes:
    """Read into one buffer. The claimed length takes address space, but no memory until bytes arrive."""
    body = raw.read(max(1, length), decode_content=False)
    if len(body) < length:
        raise IncompleteRead(b"", length - len(body))
    return body


def _pieces(raw: BaseHTTPResponse, size: int, most: int) -> Iterator[bytes]:
    total = 0
    while piece := raw.read(size, decode_content=False):
        total += len(piece)
        if total > most:
            raise AnswerTooLarge
        yield piece
