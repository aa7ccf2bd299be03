"""Answers given before, given again without routing, parsing or making anything: a layer in front of the application.

The plain way through the application tells, for each answer that can be given again, what it hung on (``Reusable``).
When a request comes that is alike in all that decided that answer, the lane asks the same questions as the plain way
does, of the same parts: is the token still good, has its caller the scopes and the resource group, is the stored entry
still fresh and still the same content, has the client the representation already. Where all is so, the answer differs
in the request's ids and in its age only. In every other case the request goes the plain way.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from service.api.http import access_log
from service.api.http.context import REQUEST_ID_HEADERS, Trail, request_id, traceparent
from service.api.http.headers import LONGEST_LIST
from service.api.http.representation_cache import Body
from service.api.http.responses import REUSABLE, Answers, Reusable, client_has, status_of
from service.domain.access import Principal, TokenVerifier, allows
from service.domain.reading import Provenance
from service.telemetry.metrics import Telemetry

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_DECIDING = (
    "PATH_INFO",
    "QUERY_STRING",
    "HTTP_AI_RESOURCE_GROUP",
    "HTTP_TIME_ZONE",
    "HTTP_ACCEPT",
    "HTTP_ACCEPT_ENCODING",
    "HTTP_ORIGIN",
)
_PLAIN = ("HTTP_CACHE_CONTROL", "HTTP_PRAGMA", "HTTP_TRANSFER_ENCODING")
_LONGEST = 1024
_MOST = 4096
_IDS = tuple("HTTP_" + name.upper().replace("-", "_") for name in REQUEST_ID_HEADERS)
_OF_THE_REQUEST = frozenset({"x-request-id", "traceparent", "age", "cache-status", "cache-control"})
_OF_THE_BODY = frozenset({"content-type", "content-length", "content-encoding"})

Headers = list[tuple[str, str]]
Signature = tuple[str | None, ...]
Still = Callable[[str, bytes], Provenance | None]


@dataclass(frozen=True, slots=True)
class _Given:
    """An answer that was given: what it hung on, and its headers but for those that are each request's own.

    ``headers`` go with a body and are ``None`` where only a ``304`` was given so far; ``bare`` go without one.
    """

    reusable: Reusable
    headers: Headers | None
    bare: Headers

    @classmethod
    def of(cls, reusable: Reusable, headers: Headers, *, whole: bool) -> _Given:
        kept = [(name, value) for name, value in headers if name.lower() not in _OF_THE_REQUEST]
        bare = [(name, value) for name, value in kept if name.lower() not in _OF_THE_BODY]
        return cls(reusable, kept if whole else None, bare)


class FastLane:
    """A WSGI application in front of ``plain``. ``still`` tells how fresh a stored entry is, if it still holds the
    content of that digest and is fresh at all; ``forwards_token`` whether answers belong to one token."""

    def __init__(
        self,
        plain: WSGIApplication,
        *,
        verifier: TokenVerifier,
        answers: Answers,
        still: Still,
        telemetry: Telemetry,
        forwards_token: bool,
    ) -> None:
        self._plain = plain
        self._verifier = verifier
        self._answers = answers
        self._still = still
        self._telemetry = telemetry
        self._forwards_token = forwards_token
        self._given: dict[Signature, _Given] = {}

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        began = time.perf_counter()
        principal = self._caller(environ)
        if principal is None:
            return self._plain(environ, start_response)
        signature = self._signature(environ, principal)
        given = self._given.get(signature)
        if given is not None:
            answer = self._again(given, principal, environ, start_response, began)
            if answer is not None:
                return answer
        return self._plain(environ, self._learning(signature, environ, start_response))

    def _caller(self, environ: WSGIEnvironment) -> Principal | None:
        """Who asks, where the request can be answered here and its token has been verified before."""
        if environ["REQUEST_METHOD"] != "GET" or environ.get("CONTENT_LENGTH"):
            return None
        for name in _PLAIN:
            if environ.get(name):
                return None
        if len(environ.get("HTTP_IF_NONE_MATCH", "")) > LONGEST_LIST:
            return None
        return self._verifier.known(environ.get("HTTP_AUTHORIZATION"))

    def _signature(self, environ: WSGIEnvironment, principal: Principal) -> Signature:
        """All that decides an answer, beside what ``_again`` looks at."""
        token = principal.token if self._forwards_token else None
        return (principal.tenant, principal.zone, token, *map(environ.get, _DECIDING))

    def _again(
        self,
        given: _Given,
        principal: Principal,
        environ: WSGIEnvironment,
        start_response: StartResponse,
        began: float,
    ) -> Iterable[bytes] | None:
        reusable = given.reusable
        if not allows(principal, reusable.rule, reusable.resource_group):
            return None
        provenance = self._still(reusable.key, reusable.digest)
        if provenance is None:
            return None
        if client_has(reusable.tag, environ.get("HTTP_IF_NONE_MATCH")):
            status, line, headers = 304, "304 NOT MODIFIED", given.bare
            body: Body | None = ()
        elif given.headers is None:
            return None
        else:
            status, line, headers = 200, "200 OK", given.headers
            body = self._answers.made(reusable.tag)
        if body is None:
            return None
        trail = Trail(request_id(map(environ.get, _IDS)), traceparent(environ.get("HTTP_TRACEPARENT")), began)
        start_response(line, [*headers, *self._of_the_request(trail, provenance)])
        access_log.note(self._telemetry, trail, reusable.route, "GET", status, cache=provenance.source.value)
        return body

    def _of_the_request(self, trail: Trail, provenance: Provenance) -> Headers:
        return [
            ("Cache-Control", self._answers.cache_control(provenance)),
            ("Age", str(int(provenance.age))),
            ("Cache-Status", status_of(provenance)),
            ("X-Request-ID", trail.request_id),
            ("traceparent", trail.traceparent),
        ]

    def _learning(self, signature: Signature, environ: WSGIEnvironment, start_response: StartResponse) -> StartResponse:
        def learn(status: str, headers: Headers, exc_info: Any = None) -> Any:
            reusable = environ.get(REUSABLE)
            if reusable is not None and status.startswith(("200", "304")) and _short(signature):
                if len(self._given) >= _MOST:
                    self._given.clear()
                self._given[signature] = _Given.of(reusable, headers, whole=status.startswith("200"))
            return start_response(status, headers, exc_info)

        return learn


def _short(signature: Signature) -> bool:
    return all(part is None or len(part) <= _LONGEST for part in signature[3:])
