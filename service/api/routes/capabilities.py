"""What the runtime can do."""

from __future__ import annotations

from collections.abc import Callable

from flask import Response

from service.api import representations
from service.api.answers import Answers, Variant
from service.api.blueprints import Blueprint, documented
from service.api.guards import requires
from service.api.inputs import Ask
from service.api.schemas import CapabilitiesSchema, Query
from service.queries import Queries


def blueprint(queries: Queries, answers: Answers, blueprints: Callable[[str, str], Blueprint]) -> Blueprint:
    """Route ``/capabilities``."""
    routes = blueprints("Capabilities", "What the AI runtime can do.")

    @routes.route("/capabilities")
    @routes.arguments(Query, location="query", grouped=False)
    @documented("getCapabilities", CapabilitiesSchema, "Read what the runtime can do", run=False)
    @requires()
    def capabilities(ask: Ask) -> Response:
        """Which runtime this is, and whether its runs have a metric resource. Any valid token will do."""
        found, content, provenance = queries.capabilities(ask.vantage, ask.exchange, ask.demand)
        variant = Variant((ask.vantage.tenant, content), ("capabilities",), ask.format)
        return answers.answer(variant, provenance, lambda: representations.capabilities(found))

    return routes
