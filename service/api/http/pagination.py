"""Pages of a long answer: ``limit`` and ``cursor`` of a request, the next page's URL and ``page`` of its answer."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Sequence
from hashlib import blake2b
from urllib.parse import urlencode

import msgspec
from flask import request

from service.api.http.parameters import PagedParameters
from service.api.http.request import ReadRequest
from service.api.openapi.schemas import NO_CURSOR
from service.concurrency.decoders import msgpack_decoder
from service.domain.errors import Fault, InvalidParameter
from service.domain.freshness import Snapshot

_OF_A_PAGE = frozenset({"cursor", "limit"})
_OF_AN_ANSWER = _OF_A_PAGE | {"format"}
"""Parameters that do not decide what the sequence of pages contains."""


class Window(msgspec.Struct, frozen=True):
    """The items of a page: ``limit`` of them (``None``: all the rest), from ``position`` on."""

    position: int
    limit: int | None

    @property
    def end(self) -> int | None:
        return None if self.limit is None else self.position + self.limit

    @property
    def form(self) -> tuple[str, str]:
        """What distinguishes representations of different windows."""
        return str(self.position), str(self.limit)


class Pages:
    """Reads and writes cursors for the request being served."""

    def __init__(self, cursors: Cursors) -> None:
        self._cursors = cursors

    def asked(self, read_request: ReadRequest[PagedParameters]) -> tuple[Window, Snapshot | None]:
        """The window and the snapshot that are asked for; ``None`` for the current snapshot.

        Raises ``InvalidParameter`` for a cursor that was not issued for this request.
        """
        limit, text = read_request.query.limit, read_request.query.cursor
        if text is None:
            return Window(0, limit), None
        cursor = self._cursors.read(text, _view(read_request))
        return Window(cursor.position, limit), cursor.snapshot

    def next(
        self, read_request: ReadRequest[PagedParameters], window: Window, snapshot: Snapshot, total: int
    ) -> str | None:
        """The URL of the page after ``window``, relative to the request's: a query; ``None`` after the last."""
        if window.end is None or window.end >= total:
            return None
        cursor = self._cursors.write(Cursor(snapshot, window.end), _view(read_request))
        kept = [(name, value) for name, value in request.args.items(multi=True) if name not in _OF_A_PAGE]
        return f"?{urlencode([*kept, ('limit', str(window.limit)), ('cursor', cursor)])}"


def member(total: int, following: str | None) -> bytes:
    """The member ``"page":{…}`` of an answer."""
    return b'"page":' + msgspec.json.encode({"total": total, "next": following})


def _view(read_request: ReadRequest[PagedParameters]) -> Sequence[str]:
    """What must be the same for all pages of a sequence: not the page size, and not the format."""
    scope = read_request.context.cache_scope
    query = sorted((name, value) for name, value in request.args.items(multi=True) if name not in _OF_AN_ANSWER)
    parts = (part for pair in query for part in pair)
    return (
        request.path,
        scope.tenant,
        scope.connection,
        scope.resource_group,
        scope.caller or "",
        read_request.zone.name,
        *parts,
    )


_MAC_SIZE = 16
_LONGEST = 512


class Cursor(msgspec.Struct, frozen=True, array_like=True):
    """``position``: the number of items of the ``snapshot`` before it."""

    snapshot: Snapshot
    position: int


def _text(code_and_cursor: bytes) -> str:
    return base64.urlsafe_b64encode(code_and_cursor).rstrip(b"=").decode("ascii")


class Cursors:
    """Writes and reads cursors; all processes of a service share the ``secret``."""

    def __init__(self, secret: bytes) -> None:
        self._key = blake2b(secret, digest_size=32, person=b"cursor").digest()

    def write(self, cursor: Cursor, view: Sequence[str]) -> str:
        """The cursor's text, which is valid for ``view`` only."""
        packed = msgspec.msgpack.encode(cursor)
        return _text(self._code(packed, view) + packed)

    def read(self, text: str, view: Sequence[str]) -> Cursor:
        """Raises ``InvalidParameter`` for text that ``write`` has not made for the same view."""
        try:
            if len(text) > _LONGEST:
                raise ValueError
            decoded = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
            code, packed = decoded[:_MAC_SIZE], decoded[_MAC_SIZE:]
            if _text(decoded) != text:  # of many texts that decode to the same bytes, one was written
                raise ValueError
            if not hmac.compare_digest(code, self._code(packed, view)):
                raise ValueError
            return msgpack_decoder(Cursor).decode(packed)
        except (ValueError, binascii.Error, msgspec.MsgspecError) as error:
            raise InvalidParameter([Fault("cursor", NO_CURSOR)]) from error

    def _code(self, packed: bytes, view: Sequence[str]) -> bytes:
        code = blake2b(key=self._key, digest_size=_MAC_SIZE)
        for part in (packed, *(each.encode("utf-8", "surrogatepass") for each in view)):
            code.update(len(part).to_bytes(4, "big"))
            code.update(part)
        return code.digest()
