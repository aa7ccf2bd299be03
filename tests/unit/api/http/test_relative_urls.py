"""References lead, from whatever URL a client has used, to the same place below the same prefix."""

from __future__ import annotations

from urllib.parse import quote, unquote, urljoin, urlsplit

from flask import Flask, Response
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import create_environ

from service.api.http import headers
from service.api.http.relative_urls import itself, relative
from tests.rows import each_row

HOST = "https://any.example"
SEGMENTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8).filter(
    lambda text: text not in {".", ".."} and "/" not in text
)
PATHS = st.builds(
    lambda segments, slash: "/" + "/".join(segments) + slash, st.lists(SEGMENTS, min_size=1), st.sampled_from(["", "/"])
)
PREFIXES = st.sampled_from(["", "/metrics-api", "/a/b.c", "/%C3%A4%20b/-", "/v1:2"])
QUERIES = st.sampled_from(["", "?", "?limit=1&cursor=a/b", "?x=%2F../.."])
APP = Flask(__name__)
headers.register(APP, ())


@APP.get("/page/")
def page() -> Response:
    return Response()


def written(path: str, odd: bool = False) -> str:
    """The path as a client may write it: what need not be encoded is, where ``odd``."""
    return (
        "".join(f"%{byte:02x}" if byte != 0x2F else "/" for byte in path.encode()) if odd else quote(path, safe="/:@")
    )


def environ_of(path: str, query: str = "", prefix: str = "", *, stripped: bool = True) -> dict[str, object]:
    """As a server gives it: behind a proxy that takes ``prefix`` away, or below ``SCRIPT_NAME``."""
    environ = create_environ("/", HOST)
    environ["PATH_INFO"] = unquote(path, "latin-1")
    environ["SCRIPT_NAME"] = "" if stripped else unquote(prefix, "latin-1")
    environ["RAW_URI"] = ("" if stripped else prefix) + path + query
    environ["QUERY_STRING"] = query[1:]
    return environ


def dotted(url: str) -> str:
    """The path of a resolved URL, its encoding aside."""
    return unquote(urlsplit(url).path)


@given(path=PATHS, target=PATHS, prefix=PREFIXES, query=QUERIES, stripped=st.booleans(), odd=st.booleans())
def test_from_any_path_to_any(path: str, target: str, prefix: str, query: str, stripped: bool, odd: bool) -> None:
    sent = written(path, odd)
    with APP.request_context(environ_of(sent, query, prefix, stripped=stripped)):
        reference = relative(target)
    assert urlsplit(reference)[:2] == ("", "")
    assert not reference.startswith("/")
    assert dotted(urljoin(HOST + prefix + sent + query, reference)) == unquote(prefix) + target
    assert "?" not in reference


@given(path=PATHS, prefix=PREFIXES, query=QUERIES, stripped=st.booleans(), odd=st.booleans())
def test_a_request_names_itself(path: str, prefix: str, query: str, stripped: bool, odd: bool) -> None:
    sent = written(path, odd)
    with APP.request_context(environ_of(sent, query, prefix, stripped=stripped)):
        instance = itself()
    assert dotted(urljoin(HOST + prefix + sent + query, instance)) == unquote(prefix) + path
    assert instance or "\ufffd" in path


@each_row(
    "sent",
    [
        "/runs//x",
        "/runs/../x",
        "/runs/./x",
        "/runs/..",
        "/runs/.",
        "/runs/%2e%2e/x",
        "/runs/a%2Fb",
        "/runs/a%2fb/c",
        "/runs/%FF",
        "/runs//",
        "*",
        "host:443",
        "/%2F",
    ],
)
def test_where_clients_differ_the_instance_is_the_url_itself(sent: str) -> None:
    with APP.request_context(environ_of(sent)):
        assert itself() == ""


@each_row(
    "sent, reference",
    [
        ("/runs", "runs/b"),
        ("/runs/a", "../runs/b"),
        ("/runs/a/", "../../runs/b"),
        ("/runs%2Fa", "runs/b"),
        ("//runs/a", "../runs/b"),
        ("/", "runs/b"),
    ],
)
def test_encoded_slashes_are_no_slashes_to_a_client(sent: str, reference: str) -> None:
    with APP.request_context(environ_of(sent)):
        assert relative("/runs/b") == reference


@each_row("target, reference", [("/", "./"), ("/a:b", "./a:b"), ("//a", ".//a"), ("/a", "a"), ("/;", "%3B")])
def test_no_reference_is_taken_for_more_than_a_path(target: str, reference: str) -> None:
    with APP.request_context(environ_of("/runs")):
        assert relative(target) == reference


def test_the_target_is_not_needed() -> None:
    """Servers need not tell it: it is no part of PEP 3333."""
    environ = environ_of("/runs/a")
    del environ["RAW_URI"], environ["REQUEST_URI"]
    with APP.request_context(environ):
        assert (relative("/runs/b"), itself()) == ("../runs/b", "../runs/a")


@each_row("query", ["", "?a=b&c=%2F"])
@each_row("prefix, stripped", [("", True), ("/metrics-api", True), ("/metrics-api", False)])
def test_a_missing_slash_at_the_end_is_redirected_below_the_prefix(prefix: str, stripped: bool, query: str) -> None:
    with APP.test_client() as client:
        answer = client.open(environ_of("/page", query, prefix, stripped=stripped))
    assert (answer.status_code, answer.data) == (308, b"")
    assert urljoin(f"{HOST}{prefix}/page{query}", answer.headers["Location"]) == f"{HOST}{prefix}/page/{query}"
