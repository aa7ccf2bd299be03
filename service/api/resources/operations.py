"""Operations: liveness, readiness, metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, get_args

import msgspec
from flask import Response
from marshmallow import Schema, fields, validate
from prometheus_client import CONTENT_TYPE_LATEST

from service.api.http.guards import open_to_everyone
from service.api.openapi.blueprints import Blueprint, documented_open
from service.domain.access import TokenVerifier
from service.reads.capability_reads import RuntimeCondition, RuntimeState

JSON = "application/json"


class LivenessSchema(Schema):
    """The answer of a live process."""

    status = fields.String(required=True, validate=validate.OneOf(["alive"]))


RUNTIME_STATES = list(get_args(RuntimeState))


class ReadinessSchema(Schema):
    """Whether requests can be served, and the state of each part."""

    status = fields.String(required=True, validate=validate.OneOf(["ready", "not ready"]))
    keys = fields.Dict(
        keys=fields.String(),
        values=fields.Boolean(),
        required=True,
        metadata={"description": "Whether the keys of each trusted issuer are loaded."},
    )
    cache = fields.String(required=True, validate=validate.OneOf(["redis", "in-process", "unavailable"]))
    runtime = fields.String(
        required=True,
        validate=validate.OneOf(RUNTIME_STATES),
        metadata={"description": "The state of the default connection's runtime."},
    )
    connections = fields.Dict(
        keys=fields.String(),
        values=fields.String(validate=validate.OneOf(RUNTIME_STATES)),
        required=True,
        metadata={"description": "The state of each connection's runtime."},
    )


class Parts(msgspec.Struct, frozen=True):
    """Probes of the service's parts. ``cache`` and ``runtimes`` only inform; ``keys`` decide on readiness."""

    verifier: TokenVerifier
    cache: Callable[[], Literal["redis", "in-process", "unavailable"]]
    runtimes: Callable[[], Mapping[str, RuntimeCondition]]
    """The condition of each connection's runtime, the default one first."""
    metrics: Callable[[], bytes]


def blueprint(parts: Parts, blueprints: Callable[[str, str], Blueprint]) -> Blueprint:
    """Routes ``/livez``, ``/readyz`` and ``/metrics``."""
    routes = blueprints("Operations", "For the platform that runs the service. No token needed.")

    @routes.route("/livez")
    @documented_open("getLivez", LivenessSchema, "Is the process alive?", JSON)
    @open_to_everyone
    def livez() -> Response:
        """Answers as long as the process runs."""
        return _json({"status": "alive"}, 200)

    @routes.route("/readyz")
    @documented_open("getReadyz", ReadinessSchema, "Can requests be served?", JSON, 503)
    @open_to_everyone
    def readyz() -> Response:
        """Ready once the keys of a trusted issuer are loaded.

        A cache or a runtime that is down is reported, but does not make the service unready: stored answers can still
        be served, and errors reported.
        """
        keys = dict(parts.verifier.keys_loaded())
        ready = any(keys.values())
        states = {name: condition.state for name, condition in parts.runtimes().items()}
        document = {
            "status": "ready" if ready else "not ready",
            "keys": keys,
            "cache": parts.cache(),
            "runtime": next(iter(states.values())),
            "connections": states,
        }
        return _json(document, 200 if ready else 503)

    @routes.route("/metrics")
    @documented_open("getMetrics", None, "Metrics for Prometheus", "text/plain")
    @open_to_everyone
    def metrics() -> Response:
        """Counters and histograms in Prometheus' text format."""
        return Response(parts.metrics(), content_type=CONTENT_TYPE_LATEST)

    return routes


def _json(document: Mapping[str, object], status: int) -> Response:
    response = Response(msgspec.json.encode(document), status, content_type=JSON)
    response.headers["Cache-Control"] = "no-store"
    return response
