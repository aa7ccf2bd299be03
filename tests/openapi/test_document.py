"""The OpenAPI document: as committed, as served, and true of the answers."""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Iterator
from typing import Any

import brotli
import pytest
from flask import Flask

from service.api.http.guards import rule_of, without_rule
from service.api.http.problems import INTERNAL, problem_of
from service.app import close, create_app
from service.app.flask_app import document
from service.domain.errors import ServiceError
from service.settings import AuthSettings, RuntimeAuth, RuntimeSettings, Settings
from tests.document import COMMITTED, check, schema

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


@pytest.fixture(scope="module")
def app() -> Iterator[Flask]:
    made = create_app(Settings(RuntimeSettings("http://127.0.0.1:9/v2", auth=RuntimeAuth.FORWARD), AuthSettings()))
    yield made
    close(made)


def test_the_committed_document_is_what_the_code_generates(app: Flask) -> None:
    assert COMMITTED.read_bytes() == document(app)
    assert app.test_client().get("/openapi.json").data == document(app)


def needs_token(app: Flask, endpoint: str) -> bool:
    rule = rule_of(app, endpoint)
    assert rule is not None, endpoint
    return rule.token


def test_every_route_states_its_access_rule(app: Flask) -> None:
    assert without_rule(app) == []
    open_routes = {rule.rule for rule in app.url_map.iter_rules() if not needs_token(app, rule.endpoint)}
    page = {"/ui/", "/ui/config.json", "/ui/assets/<string:version>/<path:name>", "/ui/vega/<string:name>.js"}
    assert open_routes - page == {"/livez", "/readyz", "/metrics", "/openapi.json", "/docs", "/docs/", "/docs/<name>"}
    assert open_routes >= page


def test_every_route_that_needs_a_token_refuses_without_one(app: Flask) -> None:
    for rule in app.url_map.iter_rules():
        answer = app.test_client().get(rule.rule.replace("<string:run_id>", "run1"))
        assert (answer.status_code == 401) == needs_token(app, rule.endpoint), rule.rule


def test_a_route_without_a_rule_does_not_start(app: Flask) -> None:
    bare = Flask("bare", static_folder=None)
    bare.add_url_rule("/bare", "bare", lambda: "")
    assert without_rule(bare) == ["bare"]


def test_no_default_is_null() -> None:
    """Swagger UI would show it as a value, and generated clients would send it."""

    def search(value: Any, place: str) -> Iterator[str]:
        if isinstance(value, dict):
            if "default" in value and value["default"] is None:
                yield place
            for key, inner in value.items():
                if key not in {"example", "examples"}:
                    yield from search(inner, f"{place}/{key}")
        elif isinstance(value, list):
            for number, inner in enumerate(value):
                yield from search(inner, f"{place}/{number}")

    assert list(search(json.loads(COMMITTED.read_bytes()), "")) == []


def test_the_run_comes_first_among_the_parameters() -> None:
    for path, operation in operations():
        if "{runId}" in path:
            assert operation["parameters"][0] == {"$ref": "#/components/parameters/runId"}, path


def operations() -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in json.loads(COMMITTED.read_bytes())["paths"].items():
        yield from ((path, operation) for operation in item.values())


def test_operations_are_complete() -> None:
    for path, operation in operations():
        assert operation["operationId"], path
        assert operation["summary"], path
        if path.startswith("/runs"):
            of_one_run = {"404"} if path.startswith("/runs/") else set()
            of_metrics = {"501"} if path.startswith("/runs/{runId}/") else set()
            every = {"200", "400", "401", "403", "502", "503", "504"}
            assert set(operation["responses"]) >= every | of_one_run | of_metrics
            if not path.endswith("/events"):
                assert "304" in operation["responses"]
                assert {"ETag", "Cache-Status"} <= set(operation["responses"]["200"]["headers"])


def test_every_error_has_its_problem() -> None:
    def kinds(base: type[ServiceError]) -> Iterator[type[ServiceError]]:
        for kind in base.__subclasses__():
            yield kind
            yield from kinds(kind)

    unplaced = {kind.__name__ for kind in kinds(ServiceError) if problem_of(kind.__new__(kind)) is INTERNAL}
    assert unplaced == {"RuntimeTrouble"}, "the abstract base alone has no status of its own"


def test_problems_are_as_documented(app: Flask) -> None:
    client = app.test_client()
    for answer in (client.get("/nothing"), client.post("/livez"), client.get("/capabilities")):
        schema("Problem", answer.data)
    for path in ("/livez", "/readyz", "/metrics", "/openapi.json", "/nothing"):
        for method in ("GET", "HEAD", "POST", "OPTIONS"):
            answer = client.open(path, method=method)
            check(method, path, answer.status_code, dict(answer.headers), answer.data)


def test_the_page_loads_nothing_from_elsewhere(app: Flask) -> None:
    page = app.test_client().get("/docs")
    assert b"//" not in page.data.replace(b"<!doctype html>", b"")
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    for name in ("swagger-ui-bundle.js", "swagger-ui.css", "start.js", "favicon-32x32.png"):
        assert app.test_client().get(f"/docs/{name}").status_code == 200
    for name in ("index.html", "..%2fapp.py", "LICENSE"):
        assert app.test_client().get(f"/docs/{name}").status_code == 404


def test_query_parameters_are_documented() -> None:
    for path, operation in operations():
        named = {parameter.get("name") for parameter in operation.get("parameters", [])}
        assert ("timezone" in named) == path.startswith(
            ("/runs", "/points", "/comparisons", "/capabilities", "/resource-groups", "/connections")
        ), path


def test_no_component_is_made_of_itself() -> None:
    """Two schemas of one name would share a component, and one of them be described wrongly."""
    for name, component in json.loads(COMMITTED.read_bytes())["components"]["schemas"].items():
        assert f'#/components/schemas/{name}"' not in json.dumps(component), name


@pytest.mark.parametrize("path", ["/openapi.json", "/docs", "/docs/swagger-ui.css", "/docs/swagger-ui-bundle.js"])
def test_what_needs_no_token_comes_compressed(app: Flask, path: str) -> None:
    client = app.test_client()
    plain = client.get(path)
    assert (plain.headers["Vary"], "Content-Encoding" in plain.headers) == ("Accept-Encoding", False)
    for coding, decode in {"gzip": gzip.decompress, "br": brotli.decompress, "zstd": zstd.decompress}.items():
        given = {"Accept-Encoding": coding}
        answer = client.get(path, headers=given)
        assert (answer.headers["Content-Encoding"], decode(answer.data)) == (coding, plain.data)
        assert answer.headers["ETag"] != plain.headers["ETag"]
        assert client.get(path, headers=given | {"If-None-Match": answer.headers["ETag"]}).status_code == 304


def test_a_picture_is_not_compressed_again(app: Flask) -> None:
    answer = app.test_client().get("/docs/favicon-32x32.png", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in answer.headers
    assert answer.data.startswith(b"\x89PNG")
