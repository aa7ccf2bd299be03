"""Conditional answers: entity tags, freshness and cache status as HTTP headers (RFC 9110, 9111, 9211)."""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, suppress
from hashlib import blake2b
from itertools import islice
from typing import TypeVar

import msgspec
from flask import Response, request
from msgspec.structs import replace

from service.api.http import encodings
from service.api.http.access_log import route
from service.api.http.context import current_request
from service.api.http.formats import JSON, Format
from service.api.http.long_poll import LongPoll
from service.api.http.representation_cache import Body, ReadyAnswers, TooLarge, size_of
from service.caching.codec import ContentGone
from service.domain.access import AccessRule
from service.domain.freshness import Provenance, Source
from service.domain.runtime import RequestContext
from service.reads.policy import Lifetimes

_REPRESENTATION_VERSION = "2"
_TAG = r'(?:W/)?"([\x21\x23-\x7e\x80-\xff]*)"'
_TAGS = re.compile(_TAG)
_LIST = re.compile(rf"[ \t]*(?:{_TAG}[ \t]*)?(?:,[ \t]*(?:{_TAG}[ \t]*)?)*")
"""A list of entity tags (RFC 9110, 5.6.1 and 8.8.3), which may have empty elements."""
T = TypeVar("T")
TOTAL = "X-Total-Count"
"""The header for ``page.total`` in formats without such a member."""
MISSING = "X-Missing-Runs"
"""The header for ``missing`` in formats without such a member."""
_MOST_NAMED = 100
"""Runs named in the header: proxies would refuse a longer one."""
_STRETCH = 64 * 1024
_SMALL = 1024 * 1024
"""Bytes up to which an answer that could be streamed is made as a whole."""
_VARY = ("Accept", "Accept-Encoding", "Authorization", "Cookie", "AI-Connection", "AI-Resource-Group")
"""``Cookie`` though the service reads none: behind an approuter it distinguishes a browser's callers."""


class Rendering(msgspec.Struct, frozen=True):
    """How a representation is rendered from one in another ``format`` of the same content and form.

    ``prepare`` is called before that one is made, so that the renderer can start meanwhile.
    """

    format: Format
    render: Callable[[bytes], bytes]
    prepare: Callable[[], None]


class Representation(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a request: ``make`` writes its body; ``content``, ``form`` and ``format`` identify it."""

    content: tuple[str, ...]
    form: tuple[str, ...]
    format: Format
    provenance: Provenance
    make: Callable[[], Iterable[bytes]]
    varies: tuple[str, ...] = ()
    """Request headers that it depends on, beside ``_VARY``."""
    rendering: Rendering | None = None
    """How it is rendered from what ``make`` makes, which is a representation of its own; ``None`` where it is not."""
    entry: tuple[str, bytes] | None = None
    """Key and digest of the stored entry, where the content is that of a single one."""
    weight: int = 0
    """Bytes of stored content that are read to make it (``LargeWork``)."""
    length: int = 0
    """Its rough length in bytes, where it can be streamed."""
    streamed: bool = False
    """Whether it is streamed unless small, so that the first bytes are sent soon and memory does not grow."""
    file: str = ""
    """The file name without extension, for formats that are saved as files."""
    next_page: str | None = None
    total: int | None = None
    """The number of items on all pages; like ``missing``, a header in formats other than JSON."""
    missing: Collection[str] = ()
    """The runs that could not be read."""
    headers: Mapping[str, str] = msgspec.field(default_factory=dict)
    """Further headers."""


class Answers:
    """Answers requests with representations, each made once."""

    def __init__(self, ready: ReadyAnswers, lifetimes: Lifetimes) -> None:
        self._ready = ready
        self._windows = (
            f"stale-while-revalidate={int(lifetimes.stale_while_revalidate)}, "
            f"stale-if-error={int(lifetimes.stale_if_error)}"
        )

    def read(
        self,
        represent: Callable[[RequestContext], Representation],
        context: RequestContext,
        long_poll: LongPoll | None = None,
    ) -> Response:
        """Answer with the result of ``represent``; with ``long_poll`` when it changes, where the client asks for
        that."""

        def respond(context: RequestContext) -> Response:
            return anew_if_gone(lambda context: self.answer(represent(context)), context)

        return respond(context) if long_poll is None else long_poll.answer(respond, context)

    def answer(self, wanted: Representation) -> Response:
        """``304`` where the client has the representation already, otherwise the representation."""
        coding = _coding(wanted.format)
        plain = _tag(wanted)
        tag = plain if coding == encodings.IDENTITY else f"{plain}-{coding}"
        _describe_dependencies(wanted, tag)
        if client_has(tag, request.headers.get("If-None-Match")):
            response = Response(status=304)
        else:
            made = wanted if wanted.rendering is None else self._rendered(wanted, wanted.rendering)
            response = self._response(made, self._pieces(made, plain, tag, coding))
            if coding != encodings.IDENTITY:
                response.headers["Content-Encoding"] = coding
        self._describe(response, tag, wanted)
        return response

    def made(self, tag: str) -> Body | None:
        """The representation of ``tag``, if it is cached."""
        return self._ready.get(tag)

    def admitted(self, weight: int) -> AbstractContextManager[None]:
        """See ``LargeWork``."""
        return self._ready.admitted(weight)

    def cache_control(self, provenance: Provenance) -> str:
        """The ``Cache-Control`` field of the answer (RFC 9111, RFC 5861); a partial one is not stored, as a problem."""
        if provenance.partial:
            return "no-store"
        return f"private, max-age={int(provenance.lifetime)}, {self._windows}"

    def _pieces(self, wanted: Representation, plain: str, tag: str, coding: str) -> Body | Iterator[bytes]:
        """The cached body, or pieces that are made as they are sent where it is too large to be kept."""
        at_most = self._ready.most_whole if wanted.length else None

        def coded() -> Iterable[bytes]:
            whole = self._ready.get(plain)
            return encodings.encode(wanted.make() if whole is None else whole, coding)

        written = wanted.make if coding == encodings.IDENTITY else coded
        whole = wanted.length <= _SMALL if wanted.streamed else coding != encodings.IDENTITY
        if at_most is None or whole or (not wanted.streamed and wanted.length <= at_most):
            with suppress(TooLarge):
                return self._ready.get_or_make(tag, written, wanted.weight, at_most=at_most)
        stretches = _in_stretches(written(), lambda: self._ready.turn(wanted.weight))
        return _sent(next(stretches, b""), stretches)

    def _rendered(self, wanted: Representation, rendering: Rendering) -> Representation:
        """The representation with a ``make`` that renders what the first one made, outside the admission to large
        work."""
        tag = _tag(replace(wanted, format=rendering.format))

        def make() -> Iterable[bytes]:
            rendering.prepare()
            return (rendering.render(b"".join(self._ready.get_or_make(tag, wanted.make, wanted.weight))),)

        return replace(wanted, make=make, weight=0)

    def _response(self, wanted: Representation, pieces: Body | Iterator[bytes]) -> Response:
        response = Response(pieces, content_type=wanted.format.content_type, direct_passthrough=True)
        if isinstance(pieces, tuple):
            response.headers["Content-Length"] = str(size_of(pieces))
        return response

    def _describe(self, response: Response, tag: str, wanted: Representation) -> None:
        provenance = wanted.provenance
        current = current_request()
        current.cache_status = provenance.source.value
        current.entry_key, current.ttl = wanted.content[0], provenance.ttl
        if provenance.upstream is not None:
            current.upstream_ms = round(provenance.upstream * 1000, 3)
        headers = response.headers
        headers["ETag"] = f'"{tag}"'
        headers["Cache-Control"] = self.cache_control(provenance)
        headers["Vary"] = ", ".join((*_VARY, *wanted.varies))
        headers["Age"] = str(int(provenance.age))
        headers["Cache-Status"] = status_of(provenance)
        headers.update(_about_content(wanted))


def anew_if_gone(read: Callable[[RequestContext], T], context: RequestContext) -> T:
    """The result of ``read``, called again for a fresh fetch where the content has left the store."""
    try:
        return read(context)
    except ContentGone:
        return read(context.no_cache())


def _about_content(wanted: Representation) -> dict[str, str]:
    """Headers about the content: file name, next page, totals."""
    headers = {**wanted.headers}
    if wanted.format.extension and wanted.file:
        headers["Content-Disposition"] = f'attachment; filename="{wanted.file}.{wanted.format.extension}"'
    if wanted.next_page is not None:
        headers["Link"] = f'<{wanted.next_page}>; rel="next"'
    if wanted.format != JSON:
        if wanted.total is not None:
            headers[TOTAL] = str(wanted.total)
        if wanted.missing:
            headers[MISSING] = _named(wanted.missing)
    return headers


def _named(run_ids: Collection[str]) -> str:
    """The first ids, and the number of the others."""
    more = [f"+{len(run_ids) - _MOST_NAMED}"] if len(run_ids) > _MOST_NAMED else []
    return ", ".join((*islice(run_ids, _MOST_NAMED), *more))


def _in_stretches(pieces: Iterable[bytes], turn: Callable[[], AbstractContextManager[None]]) -> Iterator[bytes]:
    """``pieces``, small ones joined. Each is sent by one write, and made within a ``turn``."""
    coming = iter(pieces)
    while True:
        held: list[bytes] = []
        size = 0
        with turn():
            while size < _STRETCH and (piece := next(coming, None)) is not None:
                held.append(piece)
                size += len(piece)
        if size:
            yield b"".join(held)
        if size < _STRETCH:
            return


def _sent(first: bytes, stretches: Iterator[bytes]) -> Iterator[bytes]:
    """Make the first piece before anything is sent, so that content which has left the store can still be read again,
    and overload be refused."""
    yield first
    yield from stretches


def _coding(chosen: Format) -> str:
    """The content coding that the client prefers; none for a compressed format."""
    if chosen.compressed:
        return encodings.IDENTITY
    return encodings.choose(request.headers.get("Accept-Encoding"))


def _tag(wanted: Representation) -> str:
    named = repr((_REPRESENTATION_VERSION, wanted.content, wanted.form, wanted.format.name))
    return base64.urlsafe_b64encode(blake2b(named.encode(), digest_size=15).digest()).decode("ascii")


def _describe_dependencies(wanted: Representation, tag: str) -> None:
    """Leave the metadata by which the response cache may replay this answer."""
    current = current_request()
    if wanted.entry is not None and current.access_rule is not None:
        key, digest = wanted.entry
        request.environ[CACHE_METADATA] = CacheMetadata(
            current.connection, key, digest, tag, current.access_rule, current.resource_group, route()
        )


def client_has(tag: str, given: str | None) -> bool:
    """Whether ``If-None-Match`` names the representation (RFC 9110, 13.1.2: compared weakly); a malformed list
    names none."""
    if given is None:
        return False
    return given.strip() == "*" or (tag in _TAGS.findall(given) and _LIST.fullmatch(given) is not None)


def status_of(provenance: Provenance) -> str:
    """The ``Cache-Status`` field (RFC 9211)."""
    return f"metric-resource; {_status(provenance)}"


def _status(provenance: Provenance) -> str:
    ttl = f"ttl={math.floor(provenance.ttl)}"
    stored = ("; stored" if provenance.kept else "") + ("; collapsed" if provenance.shared else "")
    match provenance.source:
        case Source.STORED:
            return f"hit; {ttl}"
        case Source.STORED_REVALIDATING:
            return f"hit; {ttl}; detail=stale-while-revalidate"
        case Source.STORED_ON_ERROR:
            return f"hit; {ttl}; detail=stale-if-error"
        case Source.FETCHED_OVER_STALE:
            return f"fwd=stale{stored}"
        case Source.FETCHED_ON_REQUEST:
            return f"fwd=request{stored}"
        case _:
            return f"fwd=miss{stored}"


CACHE_METADATA = "metric_resource.metadata"
"""The key of the WSGI environment for ``CacheMetadata``."""


class CacheMetadata(msgspec.Struct, frozen=True):
    """What an answer depends on: connection, stored entry and content, access rule, resource group (``None`` where the
    answer belongs to none). ``tag`` names the representation, ``route`` the route for the log."""

    connection: str
    key: str
    digest: bytes
    tag: str
    rule: AccessRule
    resource_group: str | None
    route: str
