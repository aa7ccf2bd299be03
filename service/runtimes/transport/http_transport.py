"""One HTTP exchange: bounded in time and size, with domain errors for all failures."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import TYPE_CHECKING, Any, cast

import msgspec
import requests
from urllib3 import BaseHTTPResponse

from service.concurrency.deadline import Deadline
from service.domain.errors import BadGateway, RuntimeTimeout, RuntimeUnavailable, ServiceError
from service.runtimes.transport.budget import Budget, spending
from service.runtimes.transport.inflation import read_body
from service.runtimes.transport.session import new_adapter, prepared
from service.runtimes.transport.tls import THE_SYSTEMS, ClientCertificate, Trust
from service.runtimes.transport.translation import FOREIGN, domain_error
from service.telemetry.prometheus import Telemetry

if TYPE_CHECKING:
    from service.telemetry.tracing import Span


class HttpTransport:
    """Exchanges over pooled connections. Thread-safe. Only requests that no server has received are retried.

    ``keeps_connections=False`` makes one for each exchange: a server of several processes leaves a kept connection to
    the process that took it, however busy that is while others are idle. ``connect_timeout`` in seconds covers
    connecting and the TLS handshake. Raises ``ValueError`` for certificates that cannot be used.
    """

    def __init__(
        self,
        *,
        connect_timeout: float,
        max_body_bytes: int,
        pool_size: int,
        keeps_connections: bool = True,
        client_certificate: ClientCertificate | None = None,
        trust: Trust = THE_SYSTEMS,
        telemetry: Telemetry,
    ) -> None:
        self._connect_timeout = connect_timeout
        self._max_body_bytes = max_body_bytes
        self._keeps_connections = keeps_connections
        self._adapter = new_adapter(pool_size, client_certificate, trust)
        self._telemetry = telemetry
        self._is_closed = False

    def exchange(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        deadline: Deadline,
        operation: str,
        form: Mapping[str, str] | None = None,
        document: bytes | None = None,
        max_body_bytes: int | None = None,
    ) -> Answer:
        """Send a request, its body a ``form`` or a JSON ``document`` if any, and read the answer, whatever its status.

        Ends by ``deadline``. Raises ``RuntimeTimeout``, ``RuntimeUnavailable`` where no connection can be made or one
        breaks, and ``BadGateway`` for redirects and answers that are too large or malformed.
        """
        began, outcome = time.perf_counter(), "error"
        most = self._max_body_bytes if max_body_bytes is None else min(max_body_bytes, self._max_body_bytes)
        if document is not None:
            headers = {**headers, "Content-Type": "application/json"}
        if not self._keeps_connections:
            headers = {**headers, "Connection": "close"}
        span = self._telemetry.exchange_span(method, url, operation)
        if span is not None:
            headers = _of_span(headers, span)
        try:
            answer = self._exchange(
                lambda: prepared(method, url, headers, document if form is None else form), deadline, most
            )
            outcome = str(answer.status)
        except ServiceError as error:
            outcome = type(error).__name__
            raise
        finally:
            if self._is_closed:
                self._adapter.close()
            self._telemetry.upstream_exchange(operation, outcome, time.perf_counter() - began)
            if span is not None:
                _end(span, outcome)
        return answer

    def close(self) -> None:
        """Close the idle connections, and those of exchanges still under way when these end."""
        self._is_closed = True
        self._adapter.close()

    def _exchange(self, request: Callable[[], requests.PreparedRequest], deadline: Deadline, most: int) -> Answer:
        while not deadline.expired:
            budget = Budget(
                deadline,
                connect_timeout=self._connect_timeout,
                body_bytes=most,
                keeps_connection=self._keeps_connections,
            )
            try:
                with spending(budget):
                    return self._once(request(), budget, most)
            except FOREIGN as error:
                trouble = domain_error(error, deadline)
                if not _was_stale(trouble, budget):
                    raise trouble from error
        raise RuntimeTimeout

    def _once(self, request: requests.PreparedRequest, budget: Budget, most: int) -> Answer:
        response = self._adapter.send(request, stream=True)
        with closing(response):
            if 300 <= response.status_code < 400:
                raise BadGateway("the AI runtime answered with a redirect")
            raw = cast(BaseHTTPResponse, response.raw)
            return Answer(response.status_code, response.headers, read_body(raw, most, budget))


def _of_span(headers: Mapping[str, str], span: Span) -> Mapping[str, str]:
    """The headers with the exchange's own span as the parent, where they have a ``traceparent``."""
    if "traceparent" not in headers:
        return headers
    state = {"tracestate": span.tracestate} if span.tracestate else {}
    return {**headers, "traceparent": span.traceparent, **state}


def _end(span: Span, outcome: str) -> None:
    if outcome.isdigit():
        span.describe({"http.response.status_code": int(outcome)})
    if not outcome.startswith(("2", "3")):
        span.fail(outcome)
    span.end()


def _was_stale(trouble: Any, budget: Budget) -> bool:
    """A kept connection broke before any answer: the server closed it while it was idle (RFC 9112, 9.3.1).

    The next attempt uses another kept one; after these have been used up, a new one.
    """
    reused = budget.sent and not budget.connected
    return reused and not budget.received and isinstance(trouble, RuntimeUnavailable)


class Answer(msgspec.Struct, frozen=True):
    """An HTTP answer. The names of ``headers`` are case-insensitive; ``body`` is decompressed."""

    status: int
    headers: Mapping[str, str]
    body: bytes
