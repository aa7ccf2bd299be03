"""The route of event streams."""

from __future__ import annotations

from collections.abc import Callable

from flask import Response

from service.api.http.formats import EVENT_STREAM
from service.api.http.guards import requires
from service.api.http.request import ReadRequest
from service.api.openapi.blueprints import Blueprint, documented
from service.api.resources.events.answers import EventStreams
from service.api.resources.events.query import EventsParameters, EventsQuery
from service.domain.access import Scope, TokenVerifier
from service.reads.feeds import Feeds
from service.telemetry.prometheus import Telemetry


def blueprint(
    feeds: Feeds,
    verifier: TokenVerifier,
    telemetry: Telemetry,
    blueprints: Callable[[str, str], Blueprint],
    *,
    comment_seconds: float,
) -> Blueprint:
    """Route ``/runs/{runId}/metric-resource/events``; a comment every ``comment_seconds`` keeps connections open."""
    routes = blueprints("Events", "Runs while they train.")
    streams = EventStreams(feeds, verifier, telemetry, comment_seconds)

    @routes.route("/runs/<string:run_id>/metric-resource/events")
    @routes.arguments(EventsQuery, formats=(EVENT_STREAM,))
    @documented(
        "watchMetricResource",
        None,
        "Watch a run's metric resource",
        zoned=True,
        streamed=True,
    )
    @requires(Scope.METRICS_READ)
    def events(read_request: ReadRequest[EventsParameters], run_id: str) -> Response:
        """Server-sent events: `state` and all points, then each new point once, within a freshness interval.

        `points` has new points, in the runtime's order; `tags`, `custom-info` and `status` what has changed; `changed`
        says that points sent before have been changed or removed: discard them, `state` and all points follow. `end`
        is the last event; its `reason` is `ended`, `expired` (the token) or `shutdown`. Reconnect with the last `id` as
        `Last-Event-ID`, to any worker: nothing is missing or sent twice. Points equal in all members are one.
        """
        return streams.answer(read_request, run_id)

    return routes
