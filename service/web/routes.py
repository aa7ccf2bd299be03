"""``/ui/``: the page, its files, the script that draws charts, and the page's configuration.

These routes need no token and read no run; the page reads the API with its reader's token.
"""

from __future__ import annotations

from functools import cache

import msgspec
from flask import Blueprint, Response, abort

from service.api.http.guards import open_to_everyone
from service.api.http.static_assets import FOREVER, REVALIDATED, Asset
from service.charts.browser_bundle import VegaBundle
from service.web.assets import Assets, script
from service.web.security import SignIn


def blueprint(sign_in: SignIn, bundle: VegaBundle, version: str) -> Blueprint:
    """Routes below ``/ui/``; ``version`` is the service's own."""
    routes = Blueprint("page", __name__, url_prefix="/ui")
    assets, headers = cache(Assets), sign_in.headers()

    @routes.get("/")
    @open_to_everyone
    def index() -> Response:
        response = assets().index.response(REVALIDATED)
        response.headers.update(headers)
        return response

    @routes.get("/config.json")
    @open_to_everyone
    def config() -> Response:
        return _config().response(REVALIDATED)

    @routes.get("/assets/<string:version>/<path:name>")
    @open_to_everyone
    def asset(version: str, name: str) -> Response:
        """A file of the page; for another version, of a page loaded before, the present file."""
        found = assets().file(name)
        if found is None:
            abort(404)
        return found.response(FOREVER if version == assets().version else REVALIDATED)

    @routes.get("/vega/<string:name>.js")
    @open_to_everyone
    def vega(name: str) -> Response:
        if name != bundle.version:
            abort(404)
        return _vega().response(FOREVER)

    @cache
    def _config() -> Asset:
        made = bundle.version
        config = {
            "version": version,
            "signIn": sign_in.members(),
            "vega": None if made is None else f"vega/{made}.js",
        }
        return Asset(msgspec.json.encode(config), "application/json")

    @cache
    def _vega() -> Asset:
        return script(bundle.script())

    return routes
