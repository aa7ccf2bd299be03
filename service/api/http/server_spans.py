"""A span for each request, around the whole WSGI application: most are answered by the response cache, not by Flask."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from service.api.http.request_ids import is_traceparent
from service.concurrency.at_hand import NOT_AT_HAND
from service.concurrency.pushed_body import PushedBody, Sink
from service.concurrency.thread_origin import working_for
from service.telemetry.trace_options import TraceAttribute

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from service.telemetry.tracing import Span, Tracing

_PROBES = frozenset({"/livez", "/readyz", "/metrics"})
"""Requested every few seconds by platforms, and not traced."""
_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})


class ServerSpans:
    """A WSGI application in front of ``app``; it replaces ``traceparent`` by the request's own span.

    A span ends once the application has made the whole body, or the client has gone.
    """

    def __init__(self, app: WSGIApplication, tracing: Tracing) -> None:
        self._app = app
        self._tracing = tracing

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ.get("PATH_INFO") in _PROBES:
            return self._app(environ, start_response)
        given, method = environ.get("HTTP_TRACEPARENT"), environ["REQUEST_METHOD"]
        span = self._tracing.begin_request(
            method if method in _METHODS else "HTTP",
            given if is_traceparent(given) else None,
            environ.get("HTTP_TRACESTATE"),
        )
        environ["HTTP_TRACEPARENT"] = span.traceparent
        if not span.recorded:
            with working_for(span):
                return self._app(environ, start_response)
        span.describe(self._attributes(environ))
        try:
            with working_for(span):
                body = self._app(environ, start_response)
        except BaseException as error:
            span.fail(type(error).__name__)
            span.end()
            raise
        if (
            body is NOT_AT_HAND
        ):  # the application is called again, and this span is dropped: a span that never ends is not sent
            return body
        if isinstance(body, tuple | list):
            span.end()
            return body
        return _PushedUntilEnd(body, span) if isinstance(body, PushedBody) else _UntilEnd(body, span)

    def _attributes(self, environ: WSGIEnvironment) -> dict[str, str | int]:
        method = environ["REQUEST_METHOD"]
        attributes: dict[str, str | int] = {
            "http.request.method": method if method in _METHODS else "_OTHER",
            "url.scheme": environ.get("wsgi.url_scheme", "http"),
            "network.protocol.version": environ.get("SERVER_PROTOCOL", "HTTP/1.1").removeprefix("HTTP/"),
        }
        if self._tracing.shows(TraceAttribute.URL_PATH):
            path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
            attributes[TraceAttribute.URL_PATH] = path.encode("latin-1").decode("utf-8", "replace")
        return attributes


class _UntilEnd:
    """A streamed body; ``close``, which the server always calls (PEP 3333), ends its span."""

    def __init__(self, body: Iterable[bytes], span: Span) -> None:
        self._body = body
        self._span = span

    def __iter__(self) -> Iterator[bytes]:
        pieces = iter(self._body)
        while True:
            try:
                with working_for(self._span):
                    piece = next(pieces, None)
            except BaseException as error:
                self._span.fail(type(error).__name__)
                raise
            if piece is None:
                return
            yield piece

    def close(self) -> None:
        try:
            close = getattr(self._body, "close", None)
            if close is not None:
                close()
        finally:
            self._span.end()


class _PushedUntilEnd(PushedBody):
    """A pushed body; its span ends with the stream."""

    def __init__(self, body: PushedBody, span: Span) -> None:
        self._body = body
        self._span = span

    @property
    def goes_on(self) -> bool:
        return self._body.goes_on

    def beginning(self) -> Iterator[bytes]:
        return self._body.beginning()

    def attach(self, sink: Sink) -> None:
        self._body.attach(sink)

    def stop(self) -> None:
        self._body.stop()

    def close(self) -> None:
        try:
            self._body.close()
        finally:
            self._span.end()

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._body)
