"""Content codings: negotiation (RFC 9110, 12.5.3) and encoding."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache

import brotli
from isal import isal_zlib
from werkzeug.datastructures import Accept
from werkzeug.http import parse_accept_header

from service.api.http.representation_cache import joined

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

IDENTITY = "identity"
PREFERRED = ("zstd", "br", "gzip")
_BROTLI_QUALITY = 4
_ZSTD_LEVEL = 3
_GZIP_LEVEL = 1
_GZIP_WINDOW = 16 + 15


@lru_cache(maxsize=1024)
def choose(accept_encoding: str | None) -> str:
    """The coding that the client prefers, by our own order among equals; otherwise identity."""
    if not accept_encoding:
        return IDENTITY
    accepted = parse_accept_header(accept_encoding, Accept)
    best, best_quality = IDENTITY, 0.0
    for coding in PREFERRED:
        quality = accepted.quality(coding)
        if quality > best_quality:
            best, best_quality = coding, quality
    explicit = accepted.find(IDENTITY) >= 0
    return IDENTITY if explicit and accepted.quality(IDENTITY) > best_quality else best


def encode(pieces: Iterable[bytes], coding: str) -> Iterator[bytes]:
    """The body ``pieces`` in one of ``PREFERRED``, piece by piece.

    A compressor's output depends on how its input is divided; pieces are joined first, so that the same body always
    gives the same bytes.
    """
    compress, finish = _COMPRESSORS[coding]()
    for piece in joined(pieces):
        yield compress(piece)
    yield finish()


_Compressor = tuple[Callable[[bytes], bytes], Callable[[], bytes]]


def _zstd() -> _Compressor:
    compressor = zstd.ZstdCompressor(_ZSTD_LEVEL)
    return compressor.compress, compressor.flush


def _brotli() -> _Compressor:
    compressor = brotli.Compressor(quality=_BROTLI_QUALITY)
    return compressor.process, compressor.finish


def _gzip() -> _Compressor:
    compressor = isal_zlib.compressobj(level=_GZIP_LEVEL, wbits=_GZIP_WINDOW)
    return compressor.compress, compressor.flush


_COMPRESSORS: Mapping[str, Callable[[], _Compressor]] = {"zstd": _zstd, "br": _brotli, "gzip": _gzip}
