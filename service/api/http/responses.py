"""Conditional answers: entity tags, freshness and cache status as HTTP headers (RFC 9110, 9111, 9211)."""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, replace
from hashlib import blake2b
from itertools import islice

from flask import Response, request

from service.api.http import encodings
from service.api.http.access_log import route
from service.api.http.context import current_request
from service.api.http.formats import Format
from service.api.http.representation_cache import Body, ReadyAnswers, TooLarge, size_of
from service.domain.access import AccessRule
from service.domain.freshness import Provenance, Source
from service.reads.policy import Lifetimes

_REPRESENTATION_VERSION = "2"
_TAGS = re.compile(r'(?:W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
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
class Variant:
    """What distinguishes one representation of a content from another. ``varies`` are the headers that decided, beside
    ``_VARY``."""

    content: tuple[str, ...]
    form: tuple[str, ...]
    format: Format
    varies: tuple[str, ...] = ()
    entry: tuple[str, bytes] | None = None
    """The key and digest of the one stored entry that the content is made of, where it is made of one."""
    weight: int = 0
    """Bytes of stored content that it is made of (``LargeWork``)."""
    length: int = 0
    """Bytes that it has itself, roughly, where it can be sent as it is made."""
    streamed: bool = False
    """Whether only what is small is made as a whole, so that the first bytes come soon and memory does not grow."""


@dataclass(frozen=True, slots=True)
class Rendering:
    """How a representation is rendered from one of another ``format`` of the same content and form.

    ``prepare`` is called before that one is made, so that the renderer can get ready meanwhile.
    """

    format: Format
    render: Callable[[bytes], bytes]
    prepare: Callable[[], None]


class Answers:
    """Answers requests with representations that are made at most once."""

    def __init__(self, ready: ReadyAnswers, lifetimes: Lifetimes) -> None:
        self._ready = ready
        self._windows = (
            f"stale-while-revalidate={int(lifetimes.stale_while_revalidate)}, "
            f"stale-if-error={int(lifetimes.stale_if_error)}"
        )

    def answer(
        self,
        variant: Variant,
        provenance: Provenance,
        make: Callable[[], Iterable[bytes]],
        rendering: Rendering | None = None,
    ) -> Response:
        """``304`` where the client has the representation already, otherwise the representation.

        With a ``rendering``, what ``make`` makes is a representation of its own, which it is rendered from.
        """
        coding = _coding(variant.format)
        plain = _tag(variant)
        tag = plain if coding == encodings.IDENTITY else f"{plain}-{coding}"
        _describe_dependencies(variant, tag)
        if client_has(tag, request.headers.get("If-None-Match")):
            response = Response(status=304)
        else:
            if rendering is not None:
                make, variant = self._rendered(variant, make, rendering), replace(variant, weight=0)
            response = self._response(variant, self._pieces(variant, plain, tag, coding, make))
            if coding != encodings.IDENTITY:
                response.headers["Content-Encoding"] = coding
        self._describe(response, tag, variant, provenance)
        return response

    def made(self, tag: str) -> Body | None:
        """The representation that ``tag`` names, if it is at hand."""
        return self._ready.get(tag)

    def cache_control(self, provenance: Provenance) -> str:
        """The ``Cache-Control`` field of the answer (RFC 9111, RFC 5861)."""
        return f"private, max-age={int(provenance.lifetime)}, {self._windows}"

    def _pieces(
        self, variant: Variant, plain: str, tag: str, coding: str, make: Callable[[], Iterable[bytes]]
    ) -> Body | Iterator[bytes]:
        """The body as it is kept, or, where it is too large to be kept, in pieces that are made as they are sent."""
        at_most = self._ready.most_whole if variant.length else None

        def coded() -> Iterable[bytes]:
            whole = self._ready.get(plain)
            return encodings.encode(make() if whole is None else whole, coding)

        written = make if coding == encodings.IDENTITY else coded
        whole = variant.length <= _SMALL if variant.streamed else coding != encodings.IDENTITY
        if at_most is None or whole or (not variant.streamed and variant.length <= at_most):
            with suppress(TooLarge):
                return self._ready.get_or_make(tag, written, variant.weight, at_most=at_most)
        return _in_stretches(written(), lambda: self._ready.turn(variant.weight))

    def _rendered(
        self, variant: Variant, make: Callable[[], Iterable[bytes]], rendering: Rendering
    ) -> Callable[[], Iterable[bytes]]:
        """Renders what ``make`` makes, which is kept too; no place for large work is held meanwhile."""
        tag = _tag(replace(variant, format=rendering.format))

        def picture() -> Iterable[bytes]:
            rendering.prepare()
            return (rendering.render(b"".join(self._ready.get_or_make(tag, make, variant.weight))),)

        return picture

    def _response(self, variant: Variant, pieces: Body | Iterator[bytes]) -> Response:
        response = Response(pieces, content_type=variant.format.content_type, direct_passthrough=True)
        if isinstance(pieces, tuple):
            response.headers["Content-Length"] = str(size_of(pieces))
        return response

    def _describe(self, response: Response, tag: str, variant: Variant, provenance: Provenance) -> None:
        current = current_request()
        current.cache_status = provenance.source.value
        current.ttl = provenance.ttl
        if provenance.upstream is not None:
            current.upstream_ms = round(provenance.upstream * 1000, 3)
        headers = response.headers
        headers["ETag"] = f'"{tag}"'
        headers["Cache-Control"] = self.cache_control(provenance)
        headers["Vary"] = ", ".join((*_VARY, *variant.varies))
        headers["Age"] = str(int(provenance.age))
        headers["Cache-Status"] = status_of(provenance)


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


def save_as(response: Response, stem: str, format: Format) -> None:
    """Name the file that the answer is to be saved in, where it is a file in that format."""
    if format.extension:
        response.headers["Content-Disposition"] = f'attachment; filename="{stem}.{format.extension}"'


def name_missing(response: Response, run_ids: Collection[str]) -> None:
    """Name the runs that could not be read in the header for that; of many the first, and how many more there are."""
    if run_ids:
        more = [f"+{len(run_ids) - _MOST_NAMED}"] if len(run_ids) > _MOST_NAMED else []
        response.headers[MISSING] = ", ".join((*islice(run_ids, _MOST_NAMED), *more))


def _coding(chosen: Format) -> str:
    """The content coding that the client likes best; none for what is compressed as it is."""
    if chosen.compressed:
        return encodings.IDENTITY
    return encodings.choose(request.headers.get("Accept-Encoding"))


def _tag(variant: Variant) -> str:
    named = repr((_REPRESENTATION_VERSION, variant.content, variant.form, variant.format.name))
    return base64.urlsafe_b64encode(blake2b(named.encode(), digest_size=15).digest()).decode("ascii")


def _describe_dependencies(variant: Variant, tag: str) -> None:
    """Note for the response cache that this answer can be replayed, and what it depends on."""
    current = current_request()
    if variant.entry is not None and current.access_rule is not None:
        key, digest = variant.entry
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
