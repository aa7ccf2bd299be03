"""The OpenAPI document, and Swagger UI from the service itself."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import resources

from flask import Flask, Response, abort

from service.api.http.guards import open_to_everyone
from service.api.http.relative_urls import relative
from service.api.http.static_assets import REVALIDATED, Asset
from service.api.openapi.blueprints import Blueprint, documented_open

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_OWN = {"docs.html": "text/html; charset=utf-8", "start.js": "text/javascript; charset=utf-8"}
_FROM_SWAGGER_UI = {
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    "swagger-ui.css": "text/css; charset=utf-8",
    "favicon-32x32.png": "image/png",
}


def blueprint(document: Callable[[], bytes], blueprints: Callable[[str, str], Blueprint]) -> Blueprint:
    """Route ``/openapi.json``."""
    routes = blueprints("Documentation", "What this service offers. No token needed.")

    @routes.route("/openapi.json")
    @documented_open("getOpenAPI", None, "The OpenAPI document", "application/json", tagged=True)
    @open_to_everyone
    def openapi_document() -> Response:
        """This document."""
        return _document().response(REVALIDATED)

    @cache
    def _document() -> Asset:
        return Asset(document(), "application/json")

    return routes


def register(app: Flask) -> None:
    """Add ``/docs`` and its assets to the application."""

    @app.get("/docs")
    @open_to_everyone
    def docs() -> Response:
        response = _own("docs.html").response(REVALIDATED)
        response.headers["Content-Security-Policy"] = _POLICY
        return response

    @app.get("/docs/")
    @open_to_everyone
    def docs_below() -> Response:
        """Redirect to ``/docs``, where the page's relative references are right."""
        return Response(status=308, headers={"Location": relative("/docs")})

    @app.get("/docs/<name>")
    @open_to_everyone
    def docs_asset(name: str) -> Response:
        if name == "start.js":
            return _own(name).response(REVALIDATED)
        if name not in _FROM_SWAGGER_UI:
            abort(404)
        return _swagger_ui(name).response(REVALIDATED)


@cache
def _own(name: str) -> Asset:
    return Asset((resources.files("service.api") / "assets" / name).read_bytes(), _OWN[name])


@cache
def _swagger_ui(name: str) -> Asset:
    return Asset((resources.files("flask_swagger_ui") / "dist" / name).read_bytes(), _FROM_SWAGGER_UI[name])
