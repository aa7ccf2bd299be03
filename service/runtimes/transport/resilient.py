"""A resilient client of a runtime: credentials, retries, circuit breaker, concurrency limit, rate limits."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Protocol
from urllib.parse import quote, urlencode

from service.concurrency.deadline import Deadline
from service.domain.errors import BadGateway, RateLimited, RuntimeForbids, RuntimeRefuses, RuntimeUnavailable
from service.runtimes.http_client import HTTPRequest
from service.runtimes.transport import challenges
from service.runtimes.transport.circuit import Circuit
from service.runtimes.transport.concurrency_limit import ConcurrencyLimit
from service.runtimes.transport.http_transport import Answer, HttpTransport
from service.runtimes.transport.rate_limits import RateLimits
from service.runtimes.transport.retries import Passing, Retries, retry_after, whole_seconds
from service.telemetry.prometheus import Telemetry

_CLIENT_ERROR, _UNAUTHORIZED, _FORBIDDEN, _TOO_MANY, _SERVER_ERROR, _NOT_IMPLEMENTED = 400, 401, 403, 429, 500, 501
_PASSING = frozenset({502, 503, 504})
_PAUSE = 5.0
"""Seconds of ``Retry-After`` where the runtime sends none."""
_READABLE = "/,$*"
"""Characters that are not encoded in URLs, as in the AI API's own documents."""


class ResilientClient:
    """Reads resources below ``base_url``. Thread-safe.

    A caller's token, where there is one, is the only credential sent; otherwise ``tokens`` has the service's own.
    ``fault`` returns the reason of a 4xx or 5xx that neither credentials nor time will change, otherwise ``None``.
    """

    def __init__(
        self,
        transport: HttpTransport,
        *,
        base_url: str,
        tokens: TokenSource,
        circuit: Circuit,
        limit: ConcurrencyLimit,
        retries: Retries,
        telemetry: Telemetry,
        fault: Callable[[Answer], str | None] | None = None,
    ) -> None:
        self._transport = transport
        self._base_url = base_url.rstrip("/")
        self._tokens = tokens
        self._circuit = circuit
        self._limit = limit
        self._retries = retries
        self._rate_limits = RateLimits()
        self._telemetry = telemetry
        self._fault = fault

    def read(self, request: HTTPRequest) -> Answer:
        """The answer, of any status except 3xx, 401, 403, 429 and 5xx other than 501. Reads change nothing, so a
        ``POST`` is retried, too.

        Raises ``RuntimeTrouble`` where there is no such answer, ``Overloaded``, and where access is refused
        ``RuntimeRefuses`` (the service's credentials) or ``RuntimeForbids`` (the caller's).
        """
        return self._retries.run(
            lambda: self._attempt(request),
            request.deadline,
            lambda: self._telemetry.upstream_retry(request.operation),
        )

    def _url(self, path: str, query: Sequence[tuple[str, str]]) -> str:
        url = self._base_url + quote(path, safe=_READABLE)
        return f"{url}?{urlencode(query, safe=_READABLE, quote_via=quote)}" if query else url

    def _attempt(self, request: HTTPRequest) -> Answer:
        if request.caller_token is None:
            answer, sent = self._ask_as_service(request)
        else:
            sent = f"Bearer {request.caller_token}"
            answer = self._ask(request, sent)
        if answer.status in {_UNAUTHORIZED, _FORBIDDEN}:
            hint = challenges.hint(answer.headers, sent)
            raise RuntimeRefuses(hint) if request.caller_token is None else RuntimeForbids(hint)
        return answer

    def _ask_as_service(self, request: HTTPRequest) -> tuple[Answer, str | None]:
        """An exchange with the service's token, which is returned, too; a refused token is replaced once."""
        authorization = self._tokens.authorization(request.deadline)
        answer = self._ask(request, authorization)
        if answer.status != _UNAUTHORIZED or authorization is None:
            return answer, authorization
        self._tokens.invalidate(authorization)
        fresh = self._tokens.authorization(request.deadline)
        return (answer if fresh == authorization else self._ask(request, fresh)), fresh

    def _ask(self, request: HTTPRequest, authorization: str | None) -> Answer:
        self._rate_limits.check(request.caller_token)
        self._circuit.check()
        with self._limit.place(request.deadline):
            probe, began = self._circuit.enter(), time.monotonic()
            try:
                answer = self._usable(self._exchange(request, authorization), request)
            except BaseException as error:
                cause = error.error if isinstance(error, Passing) else error
                self._circuit.failed(cause, probe=probe, seconds=time.monotonic() - began)
                raise
            self._circuit.worked(probe=probe)
            return answer

    def _exchange(self, request: HTTPRequest, authorization: str | None) -> Answer:
        credentials = {} if authorization is None else {"Authorization": authorization}
        headers = {**request.headers, **credentials}
        try:
            return self._transport.exchange(
                "GET" if request.document is None else "POST",
                self._url(request.path, request.query),
                headers=headers,
                deadline=request.deadline,
                operation=request.operation,
                document=request.document,
            )
        except RuntimeUnavailable as error:
            raise Passing(error) from error

    def _usable(self, answer: Answer, request: HTTPRequest) -> Answer:
        """The answer, unless it is a failure of the runtime, temporary or not."""
        fault = None if self._fault is None or answer.status < _CLIENT_ERROR else self._fault(answer)
        if fault is not None:
            raise BadGateway(fault)
        if answer.status == _TOO_MANY:
            wait = retry_after(answer.headers)
            self._rate_limits.note(request.caller_token, wait or 0.0)
            raise Passing(RateLimited(whole_seconds(wait)), wait)
        if answer.status < _SERVER_ERROR or answer.status == _NOT_IMPLEMENTED:
            return answer
        wait = retry_after(answer.headers)
        error = RuntimeUnavailable("the AI runtime fails", whole_seconds(_PAUSE if wait is None else wait))
        raise Passing(error, wait) if answer.status in _PASSING else error


class TokenSource(Protocol):
    """The source of the ``Authorization`` header for exchanges with the service's own credentials. Thread-safe."""

    def authorization(self, deadline: Deadline) -> str | None:
        """The value to send, ``None`` for none. Ends by ``deadline``.

        Raises ``RuntimeTrouble`` where there is none now, and ``RuntimeRefuses`` where the credentials are refused.
        """
        ...

    def invalidate(self, authorization: str) -> None:
        """The value was refused: return another one next time, if possible."""
        ...
