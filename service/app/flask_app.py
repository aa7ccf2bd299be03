"""The Flask application: routes, guards, problems, documentation."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import cache
from importlib.metadata import version
from typing import Any

import msgspec
from flask import Flask
from werkzeug.routing import Rule

from service.api.http import access_log, guards, headers, problems
from service.api.http.long_poll import LongPoll
from service.api.http.pagination import Cursors, Pages
from service.api.http.request import Defaults, RequestReader
from service.api.http.response_cache import ResponseCache
from service.api.http.responses import Answers
from service.api.http.server_spans import ServerSpans
from service.api.openapi import routes as documentation
from service.api.openapi.blueprints import Blueprint, blueprints
from service.api.resources import capabilities, checks, connections, operations, resource_groups
from service.api.resources.charts import routes as charts
from service.api.resources.comparisons import routes as comparisons
from service.api.resources.events import routes as events
from service.api.resources.logs import routes as logs
from service.api.resources.metric_resource import routes as metric_resource
from service.api.resources.metric_resource.selected_points import SelectedPoints
from service.api.resources.operations import Parts
from service.api.resources.points import routes as points
from service.api.resources.runs import routes as runs
from service.api.resources.runs.selected_runs import SelectedRuns
from service.api.resources.series import routes as series
from service.caching.changes import Changes
from service.charts.browser_bundle import VegaBundle
from service.charts.rendering import Renderer
from service.domain.access import GrantDirectory
from service.reads.feeds import Feeds
from service.reads.queries import Queries
from service.telemetry.prometheus import Telemetry
from service.web import routes as page
from service.web.security import SignIn

_DOCUMENT = "metric-resource-document"
_PACKAGE = "metric-resource-service"


class Interface(msgspec.Struct, frozen=True):
    """The parts that the HTTP interface uses; without ``sign_in`` there is no page for people."""

    queries: Queries
    grants: GrantDirectory
    answers: Answers
    selected_points: SelectedPoints
    selected_runs: SelectedRuns
    cursors: Cursors
    defaults: Defaults
    parts: Parts
    telemetry: Telemetry
    renderer: Renderer
    feeds: Feeds
    changes: Changes
    comment_seconds: float
    cors_origins: Collection[str] = ()
    sign_in: SignIn | None = None


class MatchedRule(Rule):
    """A rule that compiles its URL builder on first use. The service builds no URLs, and compiling takes longer than
    everything else in making an application."""

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        compiled = super()._compile_builder

        def build(rule: MatchedRule, **values: Any) -> tuple[str, str]:
            made: tuple[str, str] = compiled(append_unknown)(rule, **values)
            return made

        return build


def build(interface: Interface) -> Flask:
    """Return the application. Raises ``RuntimeError`` for a route that states no access rule."""
    app = Flask("service", static_folder=None)
    app.url_rule_class = MatchedRule
    app.url_map.merge_slashes = False
    problems.register(app)
    headers.register(app, frozenset(interface.cors_origins))
    access_log.register(app, interface.telemetry)
    guards.register(app, interface.parts.verifier, interface.grants)
    made = blueprints(RequestReader(interface.defaults))
    resources = (*_resources(interface, made), documentation.blueprint(lambda: document(app), made))
    for routes in resources:
        app.register_blueprint(routes)
    documentation.register(app)
    if interface.sign_in is not None:
        app.register_blueprint(page.blueprint(interface.sign_in, VegaBundle(), _own_version()))
    app.extensions[_DOCUMENT] = cache(lambda: _document(resources))
    _put_in_front(app, interface)
    unruled = guards.without_rule(app)
    if unruled:
        raise RuntimeError(f"routes without an access rule: {', '.join(unruled)}")
    return app


@cache
def _own_version() -> str:
    """Looked up once: reading the distribution's metadata takes milliseconds."""
    return version(_PACKAGE)


def _resources(interface: Interface, made: Callable[[str, str], Blueprint]) -> tuple[Blueprint, ...]:
    """The API's resources, in the order of the document."""
    queries, answers, selected_points = interface.queries, interface.answers, interface.selected_points
    pages, long_poll = Pages(interface.cursors), LongPoll(interface.changes)
    return (
        metric_resource.blueprint(queries, answers, selected_points, pages, made, long_poll=long_poll),
        points.blueprint(queries, answers, selected_points, pages, made),
        series.blueprint(queries, answers, long_poll, made),
        charts.blueprint(queries, answers, interface.renderer, made),
        runs.blueprint(queries, answers, interface.selected_runs, pages, made, long_poll=long_poll),
        comparisons.blueprint(queries, answers, interface.renderer, made),
        logs.blueprint(queries, answers, made),
        resource_groups.blueprint(queries, answers, made),
        events.blueprint(
            interface.feeds,
            interface.parts.verifier,
            interface.telemetry,
            made,
            comment_seconds=interface.comment_seconds,
        ),
        checks.blueprint(queries, answers, made),
        capabilities.blueprint(queries, answers, made),
        connections.blueprint(interface.defaults.connections, answers, made),
        operations.blueprint(interface.parts, made),
    )


def _put_in_front(app: Flask, interface: Interface) -> None:
    """Put the response cache in front of Flask, and the requests' spans, where traces are on, in front of both."""
    app.wsgi_app = ResponseCache(  # type: ignore[method-assign]
        app.wsgi_app,
        verifier=interface.parts.verifier,
        answers=interface.answers,
        fresh_entry=interface.queries.fresh_entry,
        telemetry=interface.telemetry,
        forwards_token=any(connection.forwards_token for connection in interface.defaults.connections),
    )
    if interface.telemetry.tracing is not None:
        app.wsgi_app = ServerSpans(app.wsgi_app, interface.telemetry.tracing)  # type: ignore[method-assign]


def document(app: Flask) -> bytes:
    """The OpenAPI document of the application, as it is committed and served."""
    made: bytes = app.extensions[_DOCUMENT]()
    return made


def _document(resources: Sequence[Blueprint]) -> bytes:
    """The document, made by flask-smorest on an application of its own when it is first requested: most processes
    never serve it, and it takes longer than the routes themselves."""
    from service.api.openapi.document import Api  # noqa: PLC0415 - see above

    api = Api(Flask("service", static_folder=None))
    for routes in resources:
        api.register_blueprint(routes.described())
    return msgspec.json.format(msgspec.json.encode(api.document(), order="sorted"), indent=2) + b"\n"
