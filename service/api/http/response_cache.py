"""Records answers of the application, and replays them without routing, parsing or serialising.

A WSGI layer in front of the application. The application states what each replayable answer depends on
(``CacheMetadata``). For a request that equals a recorded one in all that decides the answer, the layer checks what the
application would check, by the same functions: that the token is still valid, that its caller has the scopes and the
resource group (``domain.access.allows``), that the stored entry is still fresh and has the same content, and whether
the client has the representation already. Then the answer differs only in the request's ids and its age. Every other
request goes to the application.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from service.api.http import access_log
from service.api.http.context import RequestTrace
from service.api.http.headers import LONGEST_LIST
from service.api.http.representation_cache import Body
from service.api.http.request_ids import REQUEST_ID_HEADERS, request_id, traceparent
from service.api.http.responses import CACHE_METADATA, Answers, CacheMetadata, client_has, status_of
from service.concurrency.at_hand import AT_HAND_ONLY, NOT_AT_HAND
from service.concurrency.bounded_map import BoundedMap
from service.domain.access import Principal, TokenVerifier, allows
from service.domain.freshness import Provenance
from service.telemetry.prometheus import Telemetry

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_DECIDING = (
    "PATH_INFO",
    "QUERY_STRING",
    "HTTP_AI_CONNECTION",
    "HTTP_AI_RESOURCE_GROUP",
    "HTTP_TIME_ZONE",
    "HTTP_ACCEPT",
    "HTTP_ACCEPT_ENCODING",
    "HTTP_ORIGIN",
)
_PLAIN = ("HTTP_CACHE_CONTROL", "HTTP_PRAGMA", "HTTP_PREFER", "HTTP_TRANSFER_ENCODING")
_LONGEST = 1024
_MOST = 4096
_IDS = tuple("HTTP_" + name.upper().replace("-", "_") for name in REQUEST_ID_HEADERS)
_OF_THE_REQUEST = frozenset({"x-request-id", "traceparent", "age", "cache-status", "cache-control"})
_OF_THE_BODY = frozenset({"content-type", "content-length", "content-encoding"})

Headers = list[tuple[str, str]]
Signature = tuple[str | None, ...]


class FreshEntry(Protocol):
    def __call__(self, connection: str, key: str, digest: bytes, *, at_hand_only: bool) -> Provenance | None: ...


class _Recorded(msgspec.Struct, frozen=True):
    """A recorded answer: what it depends on, and its headers without those of each request.

    ``headers`` are those of an answer with a body, ``None`` where only a ``304`` was recorded so far; ``bare`` those of
    a ``304``.
    """

    metadata: CacheMetadata
    headers: Headers | None
    bare: Headers

    @classmethod
    def of(cls, metadata: CacheMetadata, headers: Headers, *, whole: bool) -> _Recorded:
        kept = [(name, value) for name, value in headers if name.lower() not in _OF_THE_REQUEST]
        bare = [(name, value) for name, value in kept if name.lower() not in _OF_THE_BODY]
        return cls(metadata, kept if whole else None, bare)


class ResponseCache:
    """A WSGI application in front of ``app``. Thread-safe.

    ``fresh_entry`` has the freshness of an entry by connection, key and digest; ``None`` where it is stale or has been
    replaced, or where that cannot be found out ``at_hand_only``. ``forwards_token`` is whether answers belong to one
    token. The ``most`` answers used last are kept.
    """

    def __init__(
        self,
        app: WSGIApplication,
        *,
        verifier: TokenVerifier,
        answers: Answers,
        fresh_entry: FreshEntry,
        telemetry: Telemetry,
        forwards_token: bool,
        most: int = _MOST,
    ) -> None:
        self._app = app
        self._verifier = verifier
        self._answers = answers
        self._fresh_entry = fresh_entry
        self._telemetry = telemetry
        self._forwards_token = forwards_token
        self._recorded: BoundedMap[Signature, _Recorded] = BoundedMap(most)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        began = time.perf_counter()
        at_hand_only = AT_HAND_ONLY in environ
        principal = self._caller(environ)
        if principal is None:
            return NOT_AT_HAND if at_hand_only else self._app(environ, start_response)
        signature = self._signature(environ, principal)
        recorded = self._recorded.get(signature)
        if recorded is not None:
            answer = self._replay(recorded, principal, environ, start_response, began)
            if answer is not None:
                return answer
        if at_hand_only:
            return NOT_AT_HAND
        return self._app(environ, self._recording(signature, environ, start_response))

    def _caller(self, environ: WSGIEnvironment) -> Principal | None:
        """The caller, where the request can be answered here and its token has been verified before."""
        if environ["REQUEST_METHOD"] != "GET" or environ.get("CONTENT_LENGTH"):
            return None
        for name in _PLAIN:
            if environ.get(name):
                return None
        if len(environ.get("HTTP_IF_NONE_MATCH", "")) > LONGEST_LIST:
            return None
        return self._verifier.known(environ.get("HTTP_AUTHORIZATION"))

    def _signature(self, environ: WSGIEnvironment, principal: Principal) -> Signature:
        """All that decides an answer, beside what ``_replay`` checks."""
        token = principal.token if self._forwards_token else None
        return (principal.tenant, principal.zone, token, *map(environ.get, _DECIDING))

    def _replay(
        self,
        recorded: _Recorded,
        principal: Principal,
        environ: WSGIEnvironment,
        start_response: StartResponse,
        began: float,
    ) -> Iterable[bytes] | None:
        metadata = recorded.metadata
        if not allows(principal, metadata.rule, metadata.resource_group):
            return None
        provenance = self._fresh_entry(
            metadata.connection, metadata.key, metadata.digest, at_hand_only=AT_HAND_ONLY in environ
        )
        if provenance is None:
            return None
        if client_has(metadata.tag, environ.get("HTTP_IF_NONE_MATCH")):
            status, line, headers = 304, "304 NOT MODIFIED", recorded.bare
            body: Body | None = ()
        elif recorded.headers is None:
            return None
        else:
            status, line, headers = 200, "200 OK", recorded.headers
            body = self._answers.made(metadata.tag)
        if body is None:
            return None
        trace = RequestTrace(request_id(map(environ.get, _IDS)), traceparent(environ.get("HTTP_TRACEPARENT")), began)
        start_response(line, [*headers, *self._of_the_request(trace, provenance)])
        access_log.note(
            self._telemetry,
            trace,
            metadata.route,
            "GET",
            status,
            resource_group=metadata.resource_group,
            cache=provenance.source.value,
        )
        return body

    def _of_the_request(self, trace: RequestTrace, provenance: Provenance) -> Headers:
        return [
            ("Cache-Control", self._answers.cache_control(provenance)),
            ("Age", str(int(provenance.age))),
            ("Cache-Status", status_of(provenance)),
            ("X-Request-ID", trace.request_id),
            ("traceparent", trace.traceparent),
        ]

    def _recording(
        self, signature: Signature, environ: WSGIEnvironment, start_response: StartResponse
    ) -> StartResponse:
        def record(status: str, headers: Headers, exc_info: Any = None) -> Any:
            metadata = environ.get(CACHE_METADATA)
            if metadata is not None and status.startswith(("200", "304")) and _short(signature):
                self._recorded.keep(signature, _Recorded.of(metadata, headers, whole=status.startswith("200")))
            return start_response(status, headers, exc_info)

        return record


def _short(signature: Signature) -> bool:
    return all(part is None or len(part) <= _LONGEST for part in signature[3:])
