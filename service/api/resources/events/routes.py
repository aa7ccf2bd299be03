"""A run as it goes on, as server-sent events."""

from __future__ import annotations

from collections.abc import Callable

from flask import Response, request

from service.api.http.context import current_request
from service.api.http.formats import EVENT_STREAM
from service.api.http.guards import requires
from service.api.http.request import ReadRequest
from service.api.openapi.blueprints import Blueprint, documented
from service.api.resources.events.query import EventsParameters, EventsQuery
from service.api.resources.events.stream import EventStream
from service.api.resources.events.to_sse import Writer
from service.domain.access import Principal, Scope, TokenVerifier, allows
from service.domain.errors import Forbidden
from service.domain.events import position_of
from service.reads.feeds import Feeds
from service.telemetry.prometheus import Telemetry

_LAST_ID = "Last-Event-ID"


def blueprint(
    feeds: Feeds,
    verifier: TokenVerifier,
    telemetry: Telemetry,
    blueprints: Callable[[str, str], Blueprint],
    *,
    comment_seconds: float,
) -> Blueprint:
    """Route ``/runs/{runId}/metric-resource/events``; a comment every so many seconds keeps a silent connection."""
    routes = blueprints("Events", "Runs as they go on.")

    @routes.route("/runs/<string:run_id>/metric-resource/events")
    @routes.arguments(EventsQuery, location="query", formats=(EVENT_STREAM,))
    @documented(
        "watchMetricResource",
        None,
        "Watch a run's metric resource",
        query=EventsQuery,
        zoned=True,
        formats=(EVENT_STREAM,),
        streamed=True,
    )
    @requires(Scope.METRICS_READ)
    def events(read_request: ReadRequest[EventsParameters], run_id: str) -> Response:
        """Server-sent events: `state` and all points there are, then each new point once, within a freshness interval.

        `points` has new points, in the runtime's order; `tags`, `custom-info` and `status` what has changed; `changed`
        says that points which were given are no longer so: forget them, `state` and all points follow. `end` is the
        last event; its `reason` is `ended`, `expired` (the token) or `shutdown`. Go on with the last `id` as
        `Last-Event-ID`, anywhere: nothing is missing or given twice. Points that are alike in all members are one.
        """
        response = Response(content_type=EVENT_STREAM.content_type, direct_passthrough=True)
        response.headers["Cache-Control"] = "no-store"
        response.headers["X-Accel-Buffering"] = "no"
        if request.method == "HEAD":
            feeds.close(feeds.open(run_id, read_request.context))
            response.response = iter(())  # of no length
            return response
        feed = feeds.open(run_id, read_request.context)
        try:
            now = feed.now
            opening = now.beginning()
            last = request.headers.get(_LAST_ID) or read_request.query.after  # ``EventSource`` comes back with both
            if last:
                position = position_of(last)
                given = (
                    None
                    if position is None
                    else now.given_at(position, lambda named: feeds.stored(feed, named, read_request.context))
                )
                opening = now.anew() if given is None else now.beginning(given)
            principal, check = _access(verifier)
            writer = Writer(read_request.zone, read_request.query.wanted)
            response.response = EventStream(
                feeds,
                feed,
                now,
                opening,
                writer,
                expires_at=principal.expires_at,
                check=check,
                comment_seconds=comment_seconds,
                telemetry=telemetry,
            )
        except BaseException:
            feeds.close(feed)
            raise
        return response

    return routes


def _access(verifier: TokenVerifier) -> tuple[Principal, Callable[[], None]]:
    """Who asks, and what raises ``ServiceError`` once that caller may read the run no more."""
    current = current_request()
    principal, rule, group = current.principal, current.access_rule, current.resource_group
    authorization = request.headers.get("Authorization")
    if principal is None or rule is None:
        raise Forbidden("this route states no access rule that asks for a token")

    def check() -> None:
        if not allows(verifier.verify(authorization), rule, group):
            raise Forbidden("access has been withdrawn")

    return principal, check
