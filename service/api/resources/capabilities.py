"""What the runtime can do."""

from __future__ import annotations

from collections.abc import Callable

from flask import Response

from service.api.http.guards import requires
from service.api.http.parameters import Parameters
from service.api.http.request import ReadRequest
from service.api.http.responses import Answers, Variant
from service.api.openapi.blueprints import Blueprint, documented
from service.api.openapi.schemas import CapabilitiesSchema, Query
from service.api.resources.metric_resource import to_json
from service.reads.queries import Queries


def blueprint(queries: Queries, answers: Answers, blueprints: Callable[[str, str], Blueprint]) -> Blueprint:
    """Route ``/capabilities``."""
    routes = blueprints("Capabilities", "What the AI runtime can do.")

    @routes.route("/capabilities")
    @routes.arguments(Query, location="query", grouped=False)
    @documented("getCapabilities", CapabilitiesSchema, "Read what the runtime can do", run=False)
    @requires()
    def capabilities(ask: ReadRequest[Parameters]) -> Response:
        """Which runtime this is, and whether its runs have a metric resource. Any valid token will do."""
        read = queries.capabilities(ask.context)
        variant = Variant((read.key, read.digest.hex()), ("capabilities",), ask.format)
        return answers.answer(variant, read.provenance, lambda: to_json.capabilities(read.content()))

    return routes
