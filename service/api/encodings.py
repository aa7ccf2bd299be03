"""Content codings: which one a request takes (RFC 9110, 12.5.3), and making it."""

from __future__ import annotations

import sys
from functools import lru_cache

import brotli
from isal import igzip
from werkzeug.datastructures import Accept
from werkzeug.http import parse_accept_header

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

IDENTITY = "identity"
PREFERRED = ("zstd", "br", "gzip")
_BROTLI_QUALITY = 4
_ZSTD_LEVEL = 3


@lru_cache(maxsize=1024)
def choose(accept_encoding: str | None) -> str:
    """The coding to answer in: the one the client likes best, ours to choose among equals; identity otherwise."""
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


def encode(body: bytes, coding: str) -> bytes:
    """``body`` in one of ``PREFERRED`` or ``identity``."""
    match coding:
        case "zstd":
            return zstd.compress(body, _ZSTD_LEVEL)
        case "br":
            compressed: bytes = brotli.compress(body, quality=_BROTLI_QUALITY)
            return compressed
        case "gzip":
            return igzip.compress(body, compresslevel=1, mtime=0)
        case _:
            return body
