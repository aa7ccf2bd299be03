"""Reads the body of an answer within bounds."""

from __future__ import annotations

from collections.abc import Iterator
from http.client import IncompleteRead

from urllib3 import BaseHTTPResponse

from service.domain.errors import BadGateway
from service.runtimes.transport.budget import Budget
from service.runtimes.transport.inflation import coding_of, inflate

_PIECE = 1024 * 1024
_COMPRESSED_PIECE = 64 * 1024


def read_body(raw: BaseHTTPResponse, most: int, budget: Budget) -> bytes:
    """The body, decompressed, of at most ``most`` bytes before and after.

    Raises ``BadGateway`` where it is larger or oddly coded, ``IncompleteRead`` where the connection ended early.
    """
    coding = coding_of(raw.headers.get("Content-Encoding"))
    length = raw.length_remaining
    if length is not None and length > most:
        raise BadGateway("the AI runtime's answer is larger than it may be")
    if coding is not None:
        return inflate(_pieces(raw, _COMPRESSED_PIECE, most), coding, most, budget.seconds)
    return b"".join(_pieces(raw, _PIECE, most)) if length is None else _exactly(raw, length)


def _exactly(raw: BaseHTTPResponse, length: int) -> bytes:
    """One read into one buffer. The claimed length costs address space, not memory, until bytes come."""
    body = raw.read(max(1, length), decode_content=False)
    if len(body) < length:
        raise IncompleteRead(b"", length - len(body))
    return body


def _pieces(raw: BaseHTTPResponse, size: int, most: int) -> Iterator[bytes]:
    total = 0
    while piece := raw.read(size, decode_content=False):
        total += len(piece)
        if total > most:
            raise BadGateway("the AI runtime's answer is larger than it may be")
        yield piece
