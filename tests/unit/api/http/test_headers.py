"""Headers of every answer, bounded lists in requests, and pages of other origins (Fetch standard, CORS protocol)."""

from __future__ import annotations

from flask import Flask, Response

from service.api.http import headers
from tests.rows import each_row

ORIGIN = "https://front-end.example"


def served(*origins: str) -> Flask:
    app = Flask(__name__)
    headers.register(app, origins)

    @app.get("/plain")
    def plain() -> Response:
        return Response("text", headers={"Vary": "Accept"})

    @app.get("/own-policy")
    def own_policy() -> Response:
        return Response("page", headers={"Content-Security-Policy": "default-src 'self'"})

    @app.get("/empty/<int:status>")
    def empty(status: int) -> Response:
        return Response(status=status)

    @app.get("/below/")
    def below() -> Response:
        return Response("there")

    return app


def test_every_answer_carries_the_common_headers() -> None:
    client = served().test_client()
    for path in ("/plain", "/no-such-path"):
        answer = client.get(path, headers={"X-Request-ID": "mine"})
        assert answer.headers["X-Request-ID"] == "mine"
        assert answer.headers["traceparent"].startswith("00-")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert "Access-Control-Allow-Origin" not in answer.headers


def test_a_route_may_state_a_policy_of_its_own() -> None:
    assert served().test_client().get("/own-policy").headers["Content-Security-Policy"] == "default-src 'self'"


@each_row("status, typed", [(200, True), (204, False), (304, False)])
def test_an_answer_without_a_body_has_no_type(status: int, typed: bool) -> None:
    """A cache would take it over from a 304 (RFC 9111, 3.2)."""
    assert ("Content-Type" in served().test_client().get(f"/empty/{status}").headers) is typed


def test_options_has_no_type_either_and_an_error_has() -> None:
    client = served().test_client()
    assert "Content-Type" not in client.options("/plain").headers
    assert "Content-Type" in client.options("/no-such-path").headers


@each_row("name", ["Accept", "Accept-Encoding", "Cache-Control", "If-None-Match", "Pragma"])
def test_a_list_has_a_longest_length_over_all_its_fields(name: str) -> None:
    client, half = served().test_client(), "x" * (headers.LONGEST_LIST // 2)
    assert client.get("/plain", headers={name: "x" * headers.LONGEST_LIST}).status_code == 200
    refused = client.get("/plain", headers={name: "x" * (headers.LONGEST_LIST + 1)})
    assert refused.status_code == 431
    assert name in refused.text
    assert client.get("/plain", headers=[(name, half), (name, half)]).status_code == 431


def test_a_missing_slash_leads_to_the_path_with_one_below_any_prefix() -> None:
    answer = served().test_client().get("/below?a=1&b=%20")
    assert (answer.status_code, answer.headers["Location"]) == (308, "below/?a=1&b=%20")


def test_a_page_of_an_allowed_origin_may_read_the_answer() -> None:
    answer = served(ORIGIN).test_client().get("/plain", headers={"Origin": ORIGIN})
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "ETag" in answer.headers["Access-Control-Expose-Headers"]
    assert "Access-Control-Allow-Methods" not in answer.headers
    assert answer.headers["Vary"] == "Accept, Origin"


@each_row("origin", [None, "null", "https://another.example", ORIGIN + ".example", ORIGIN.upper()])
def test_a_page_of_any_other_origin_may_not_and_caches_are_reported(origin: str | None) -> None:
    answer = served(ORIGIN).test_client().get("/own-policy", headers={} if origin is None else {"Origin": origin})
    assert not [name for name in dict(answer.headers) if name.startswith("Access-Control-")]
    assert answer.headers["Vary"] == "Origin"


def test_a_preflight_is_answered_without_the_route() -> None:
    asked = {"Origin": ORIGIN, "Access-Control-Request-Method": "GET"}
    answer = served(ORIGIN).test_client().options("/plain", headers=asked)
    assert (answer.status_code, answer.data) == (204, b"")
    assert answer.headers["Access-Control-Allow-Methods"] == "GET, HEAD, OPTIONS"
    allowed = answer.headers["Access-Control-Allow-Headers"].split(", ")
    assert {"Authorization", "AI-Resource-Group", "Time-Zone", "If-None-Match", "X-Request-ID"} <= set(allowed)
    assert answer.headers["Access-Control-Max-Age"] == "600"
