"""Answers with event streams: where each starts, and how long its reader has access."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec
from flask import Response, request

from service.api.http.context import current_request
from service.api.http.formats import EVENT_STREAM
from service.api.http.request import ReadRequest
from service.api.resources.events.query import EventsParameters
from service.api.resources.events.stream import EventStream
from service.api.resources.events.to_sse import Writer
from service.domain.access import Principal, TokenVerifier, allows
from service.domain.errors import Forbidden
from service.domain.events import Event, Observed, position_of
from service.reads.feed import Feed
from service.reads.feeds import Feeds
from service.telemetry.prometheus import Telemetry

_LAST_ID = "Last-Event-ID"


class EventStreams(msgspec.Struct, frozen=True):
    """Answers requests to watch a run. A silent stream gets a comment every ``comment_seconds``."""

    feeds: Feeds
    verifier: TokenVerifier
    telemetry: Telemetry
    comment_seconds: float

    def answer(self, read_request: ReadRequest[EventsParameters], run_id: str) -> Response:
        response = Response(content_type=EVENT_STREAM.content_type, direct_passthrough=True)
        response.headers["Cache-Control"] = "no-store"
        response.headers["X-Accel-Buffering"] = "no"
        feed = self.feeds.open(run_id, read_request.context)
        if request.method == "HEAD":
            self.feeds.close(feed)
            response.response = iter(())  # without a Content-Length
            return response
        try:
            response.response = self._stream(feed, read_request)
        except BaseException:
            self.feeds.close(feed)
            raise
        return response

    def _stream(self, feed: Feed, read_request: ReadRequest[EventsParameters]) -> EventStream:
        now = feed.now
        opening = self._opening(feed, now, read_request)
        principal, check = _access(self.verifier)
        return EventStream(
            self.feeds,
            feed,
            now,
            opening,
            Writer(read_request.zone, read_request.query.wanted),
            expires_at=principal.expires_at,
            check=check,
            comment_seconds=self.comment_seconds,
            telemetry=self.telemetry,
        )

    def _opening(self, feed: Feed, now: Observed, read_request: ReadRequest[EventsParameters]) -> Iterator[Event]:
        """The events up to now: all of them, or those after the last one that the reader has."""
        last = request.headers.get(_LAST_ID) or read_request.query.after  # a reconnecting ``EventSource`` sends both
        if not last:
            return now.beginning()
        position = position_of(last)
        if position is None:
            return now.restarted()
        delivered = now.delivered_at(position, lambda named: self.feeds.stored(feed, named, read_request.context))
        return now.restarted() if delivered is None else now.beginning(delivered)


def _access(verifier: TokenVerifier) -> tuple[Principal, Callable[[], None]]:
    """The caller, and a check that raises ``ServiceError`` once the caller may no longer read the run."""
    current = current_request()
    principal, rule, group = current.principal, current.access_rule, current.resource_group
    authorization = request.headers.get("Authorization")
    if principal is None or rule is None:
        raise Forbidden("this route states no access rule that asks for a token")

    def check() -> None:
        if not allows(verifier.verify(authorization), rule, group):
            raise Forbidden("access has been withdrawn")

    return principal, check
