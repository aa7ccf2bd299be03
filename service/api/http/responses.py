"""Conditional answers: entity tags, freshness and cache status as HTTP headers (RFC 9110, 9111, 9211)."""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from itertools import islice
from typing import TypeVar

from flask import Response, request

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
_TAGS = re.compile(r'(?:W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
T = TypeVar("T")
TOTAL = "X-Total-Count"
"""The header with what JSON has in ``page.total``, for formats without such members."""
MISSING = "X-Missing-Runs"
"""The header that names the runs that could not be read, for formats without such a member."""
_MOST_NAMED = 100
"""Runs that the header names: more would not pass proxies."""
_STRETCH = 64 * 1024
_SMALL = 1024 * 1024
"""Bytes of a streamed answer that is made as a whole nevertheless."""
_VARY = ("Accept", "Accept-Encoding", "Authorization", "Cookie", "AI-Connection", "AI-Resource-Group")
"""``Cookie`` though the service reads none: behind an approuter it distinguishes a browser's callers."""


@dataclass(frozen=True, slots=True)
class Rendering:
    """How a representation is rendered from one of another ``format`` of the same content and form.

    ``prepare`` is called before that one is made, so that the renderer can get ready meanwhile.
    """

    format: Format
    render: Callable[[bytes], bytes]
    prepare: Callable[[], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Representation:
    """What a request is answered with: ``make`` writes it, and ``content``, ``form`` and ``format`` distinguish it from
    all others."""

    content: tuple[str, ...]
    form: tuple[str, ...]
    format: Format
    provenance: Provenance
    make: Callable[[], Iterable[bytes]]
    varies: tuple[str, ...] = ()
    """The headers that decided on it, beside ``_VARY``."""
    rendering: Rendering | None = None
    """Where it is rendered: what ``make`` makes is a representation of its own, which it is rendered from."""
    entry: tuple[str, bytes] | None = None
    """The key and digest of the one stored entry that the content is made of, where it is made of one."""
    weight: int = 0
    """Bytes of stored content that it is made of (``LargeWork``)."""
    length: int = 0
    """Bytes that it has itself, roughly, where it can be sent as it is made."""
    streamed: bool = False
    """Whether only what is small is made as a whole, so that the first bytes come soon and memory does not grow."""
    file: str = ""
    """The name, but for its extension, of the file that it is to be saved in, in formats that are files."""
    next_page: str | None = None
    total: int | None = None
    """How many items all pages have together; like ``missing``, a header in formats other than JSON."""
    missing: Collection[str] = ()
    """The runs that could not be read."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Further ones."""


class Answers:
    """Answers requests with representations that are made at most once."""

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
        """Answer with what ``represent`` reads; with ``long_poll`` once it differs, where the client wants that."""

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
        """The representation that ``tag`` names, if it is at hand."""
        return self._ready.get(tag)

    def admitted(self, weight: int) -> AbstractContextManager[None]:
        """See ``LargeWork``."""
        return self._ready.admitted(weight)

    def cache_control(self, provenance: Provenance) -> str:
        """The ``Cache-Control`` field of the answer (RFC 9111, RFC 5861)."""
        return f"private, max-age={int(provenance.lifetime)}, {self._windows}"

    def _pieces(self, wanted: Representation, plain: str, tag: str, coding: str) -> Body | Iterator[bytes]:
        """The body as it is kept, or, where it is too large to be kept, in pieces that are made as they are sent."""
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
        """Renders what ``make`` makes, which is kept too; no place for large work is held meanwhile."""
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
    """What ``read`` returns, of what is fetched anew where the store knows of a content that it no longer holds."""
    try:
        return read(context)
    except ContentGone:
        return read(context.anew())


def _about_content(wanted: Representation) -> dict[str, str]:
    """The headers that say what the answer holds, and where more is."""
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
    """Of many the first, and how many more there are."""
    more = [f"+{len(run_ids) - _MOST_NAMED}"] if len(run_ids) > _MOST_NAMED else []
    return ", ".join((*islice(run_ids, _MOST_NAMED), *more))


def _in_stretches(pieces: Iterable[bytes], turn: Callable[[], AbstractContextManager[None]]) -> Iterator[bytes]:
    """``pieces``, small ones joined: each is a write to the client, and made within a ``turn``."""
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
    """The first stretch is made before anything is sent: what has left the store can still be read anew, and work for
    which there is no room be refused."""
    yield first
    yield from stretches


def _coding(chosen: Format) -> str:
    """The content coding that the client likes best; none for what is compressed as it is."""
    if chosen.compressed:
        return encodings.IDENTITY
    return encodings.choose(request.headers.get("Accept-Encoding"))


def _tag(wanted: Representation) -> str:
    named = repr((_REPRESENTATION_VERSION, wanted.content, wanted.form, wanted.format.name))
    return base64.urlsafe_b64encode(blake2b(named.encode(), digest_size=15).digest()).decode("ascii")


def _describe_dependencies(wanted: Representation, tag: str) -> None:
    """Note for the response cache that this answer can be replayed, and what it depends on."""
    current = current_request()
    if wanted.entry is not None and current.access_rule is not None:
        key, digest = wanted.entry
        request.environ[CACHE_METADATA] = CacheMetadata(
            current.connection, key, digest, tag, current.access_rule, current.resource_group, route()
        )


def client_has(tag: str, given: str | None) -> bool:
    """Whether ``If-None-Match`` names the representation (RFC 9110, 13.1.2: compared weakly)."""
    if given is None:
        return False
    return given.strip() == "*" or tag in _TAGS.findall(given)


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
"""The key of the WSGI environment that holds it."""


@dataclass(frozen=True, slots=True)
class CacheMetadata:
    """What an answer depends on: the connection, its stored entry and content, the access rule, the resource group
    (``None`` where the answer belongs to none); ``tag`` names the representation, ``route`` the route for the log."""

    connection: str
    key: str
    digest: bytes
    tag: str
    rule: AccessRule
    resource_group: str | None
    route: str
