"""A real server, spoken to byte by byte: nothing sent splits an answer, and even what is not HTTP is refused safely."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.sandbox.issuer import Issuer
from testing.waiting import eventually
from tests.rows import each_row
from tests.servers.scripted_runtime import scripted_runtime
from tests.servers.service_hosts import serving


class Server:
    def __init__(self, port: int, token: str, log: Path) -> None:
        self.port = port
        self.token = token
        self.log = log

    def say(self, request: bytes) -> bytes:
        """Everything that comes back until the server closes the connection."""
        with socket.create_connection(("127.0.0.1", self.port), 20) as connection:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: connection.recv(65536), b""))

    def get(self, path: bytes = b"/runs/run1/tags", *headers: bytes, token: bool = True) -> bytes:
        lines = [b"GET " + path + b" HTTP/1.1", b"Host: service", b"Connection: close", *headers]
        if token:
            lines.append(b"Authorization: Bearer " + self.token.encode())
        return self.say(b"\r\n".join([*lines, b"", b""]))


@pytest.fixture(scope="module", params=["parser in Python", pytest.param("parser in C", marks=pytest.mark.slow)])
def server(
    request: pytest.FixtureRequest, issuer: Issuer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """The service with either of gunicorn's parsers: what they refuse, and how, must not differ."""
    made_in = tmp_path_factory.mktemp("wire")
    with scripted_runtime() as runtime:
        environment = {
            "AICORE_BASE_URL": runtime.url,
            "RUNTIME_AUTH": "none",
            "JWT_ISSUER": issuer.url,
            "JWT_AUDIENCE": "metric-resource",
            "WEB_CONCURRENCY": "1",
        }
        if request.param == "parser in C":
            pytest.importorskip("gunicorn_h1c", reason="the extra 'fast' is not installed")
        else:
            (made_in / "sitecustomize.py").write_text("import sys\nsys.modules['gunicorn_h1c'] = None\n")
            environment["PYTHONPATH"] = str(made_in)
        with serving(made_in, environment, issuer.mint(roles=["scenario_metric_viewer"])) as host:
            yield Server(host.port, host.token, made_in / "log")


def _with_body(headers: bytes) -> bytes:
    return b"GET /livez HTTP/1.1\r\nHost: x\r\n" + headers + b"\r\n\r\n0\r\n\r\n"


def head_of(answer: bytes) -> tuple[int, dict[str, str]]:
    first, *lines = answer.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    assert re.fullmatch(r"HTTP/1\.1 [2-5]\d\d [A-Za-z -]+", first), first
    return int(first.split()[1]), {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}


def check_safe(headers: dict[str, str]) -> None:
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers["content-type"] in {"application/json", "application/problem+json"}
    assert not {"x-evil", "set-cookie"} & set(headers)


@each_row("sign", [b"\n", b"\r", b"\r\n", b"\0", b"\x85", b"%0d%0a", "\u2028".encode()])
@each_row(
    "name",
    [b"X-Request-ID", b"traceparent", b"AI-Resource-Group", b"Time-Zone", b"Origin", b"Accept", b"If-None-Match"],
)
def test_no_header_splits_the_answer(server: Server, name: bytes, sign: bytes) -> None:
    answer = server.get(b"/runs/run1/metric-resource", name + b": a" + sign + b"X-Evil: yes")
    _, headers = head_of(answer)
    check_safe(headers)
    assert answer.count(b"HTTP/1.1 ") == 1


@each_row(
    "path",
    [
        b"/runs/run1%0d%0aX-Evil:%20yes/tags",
        b"/runs/run1/tags?timezone=UTC%0d%0aX-Evil:%20yes",
        b"/runs/run1/tags?%0d%0aX-Evil=yes",
        b"/%0d%0aSet-Cookie:%20a=b",
        b"/runs/run1/../../tags",
        b"/runs/%2e%2e%2f%2e%2e/tags",
        b"/runs/run1%00/tags",
        b"/runs/\xff\xfe\xff\xfe/tags",
        b"http://elsewhere.example/runs/run1%0a/tags",
    ],
)
def test_no_path_splits_the_answer(server: Server, path: bytes) -> None:
    answer = server.get(path)
    status, headers = head_of(answer)
    assert status in {400, 404}
    check_safe(headers)
    assert answer.count(b"HTTP/1.1 ") == 1


NOT_HTTP, LONG_URL, LONG_FIELD = "the request is not valid HTTP", "the URL is too long", "there are too many header"


@each_row(
    "request_, status, detail",
    [
        (b"nonsense\r\n\r\n", 400, NOT_HTTP),
        (b"GET /livez HTTP/9.9\r\n\r\n", 400, NOT_HTTP),
        (b"get /livez HTTP/1.1\r\nHost: x\r\n\r\n", 400, NOT_HTTP),
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414, LONG_URL),
        (b"GET /livez HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 40_000 + b"\r\n\r\n", 431, LONG_FIELD),
        (b"GET /livez HTTP/1.1\r\nHost: x\r\n" + b"X: a\r\n" * 200 + b"\r\n", 431, LONG_FIELD),
        (b"GET /livez HTTP/1.1\r\nHost: x\r\n" + b"X: a\r\n" * 300 + b"\r\n", 431, LONG_FIELD),
        (b"GET /livez HTTP/1.1\r\nHost: x\r\nBad Name: x\r\n\r\n", 400, NOT_HTTP),
        (b"GET /livez HTTP/1.1\r\n\r\n", 400, NOT_HTTP),
        (b"GET /livez HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n", 400, NOT_HTTP),
        (b"GET /livez HTTP/1.1\r\nHost: x\r\nX : x\r\n\r\n", 400, NOT_HTTP),
        (b"GET /livez HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\n\r\n", 400, NOT_HTTP),
        (b"GET /livez HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n", 400, NOT_HTTP),
        (_with_body(b"Content-Length: 5\r\nTransfer-Encoding: chunked"), 400, NOT_HTTP),
        (_with_body(b"Content-Length: 5\r\nContent-Length: 6"), 400, NOT_HTTP),
        (_with_body(b"Content-Length: -1"), 400, NOT_HTTP),
        (_with_body(b"Content-Length: 1_0"), 400, NOT_HTTP),
        (_with_body(b"Transfer-Encoding: chunked, chunked"), 400, NOT_HTTP),
        (_with_body(b"Expect: the-unexpected"), 417, "only 100-continue can be expected"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400, NOT_HTTP),
    ],
)
def test_what_is_not_http_is_refused_as_safely(server: Server, request_: bytes, status: int, detail: str) -> None:
    answer = server.say(request_)
    sent, headers = head_of(answer)
    problem = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert (sent, problem["status"], headers["content-type"]) == (status, status, "application/problem+json")
    assert problem["detail"].startswith(detail)
    assert answer.endswith(json.dumps(problem, separators=(",", ":")).encode()), "written as the application writes it"
    check_safe(headers)


@each_row(
    "request_, statuses",
    [
        (_with_body(b"Transfer-Encoding: sideways"), {400, 501}),
        (b"GET  /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", {400, 200}),
    ],
)
def test_what_only_one_of_the_parsers_distinguishes_is_answered_as_safely(
    server: Server, request_: bytes, statuses: set[int]
) -> None:
    status, headers = head_of(server.say(request_))
    assert status in statuses
    check_safe(headers)


def test_a_head_that_never_ends_is_not_served(server: Server) -> None:
    """A greeting of TLS, for one: refused, or the connection is closed."""
    answer = server.say(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
    assert answer == b"" or head_of(answer)[0] == 400


def test_no_header_is_taken_for_a_trusted_proxys(server: Server) -> None:
    assert head_of(server.get(b"/runs/metrics", b"SCRIPT_NAME: /runs", token=False))[0] == 401
    assert head_of(server.get(b"/nothing", b"PATH_INFO: /livez", token=False))[0] == 404


FROM_A_PROXY = [
    b"SCRIPT_NAME: /runs",
    b"Script_Name: /runs",
    b"PATH_INFO: /metrics",
    b"REMOTE_USER: admin",
    b"HTTP_AUTHORIZATION: Bearer x",
    b"X_Forwarded_Prefix: /runs",
    b"X-Forwarded-Prefix: /runs",
    b"X-Forwarded-Proto: https",
    b"X-Forwarded-Ssl: on",
    b"X-Forwarded-Host: elsewhere.example",
    b"X-Forwarded-For: 10.0.0.1",
    b"X-Script-Name: /runs",
    b"X-Original-URL: /metrics",
    b"X-Rewrite-URL: /metrics",
    b"Forwarded: for=10.0.0.1;host=elsewhere.example;proto=https",
    b"X-Forwarded-Proto: https\r\nX-Forwarded-Ssl: off",
]


@each_row("lines", FROM_A_PROXY)
@each_row("path", [b"/runs/metrics", b"/docs/", b"/runs/run1/metric-resource?limit=1", b"/runs/run1"])
def test_no_header_says_where_the_service_is_or_what_is_asked(server: Server, path: bytes, lines: bytes) -> None:
    plain, proxied = server.get(path), server.get(path, lines)
    assert not proxied.startswith(b"HTTP/1.1 200") or path != b"/runs/metrics"
    assert content_of(proxied) == content_of(plain)


def test_an_underscore_never_stands_for_a_hyphen(server: Server) -> None:
    lines = (b"AI_Resource_Group: no", b"Time_Zone: Asia/Tokyo", b"Cache_Control: only-if-cached")
    answer = server.get(b"/runs/run1/metric-resource", *lines)
    assert head_of(answer)[0] == 200
    assert b'"timezone":"UTC"' in answer


def content_of(answer: bytes) -> tuple[int, dict[str, str], bytes]:
    """An answer but for what is each request's own."""
    status, headers = head_of(answer)
    kept = {
        name: value for name, value in headers.items() if name not in {"x-request-id", "traceparent", "date", "age"}
    }
    kept.pop("cache-status", None)
    return status, kept, re.sub(rb'"requestId":"[^"]*"', b"", answer.partition(b"\r\n\r\n")[2])


@each_row(
    "line, statuses, instance",
    [
        (b"OPTIONS * HTTP/1.1", {404}, ""),
        (b"OPTIONS /nothing HTTP/1.1", {404}, "nothing"),
        (b"OPTIONS http://elsewhere.example/nothing?x HTTP/1.1", {404}, "nothing"),
        (b"OPTIONS /runs//x HTTP/1.1", {404}, ""),
        (b"OPTIONS elsewhere.example:443 HTTP/1.1", {400, 404}, ""),
        (b"CONNECT elsewhere.example:443 HTTP/1.1", {400, 404, 405, 501}, ""),
        (b"GET * HTTP/1.1", {400, 404}, ""),
        (b"GET elsewhere.example:443 HTTP/1.1", {400, 404}, ""),
        (b"GET http://elsewhere.example/runs/run1/nothing HTTP/1.1", {404}, "../../runs/run1/nothing"),
        (b"GET http://elsewhere.example HTTP/1.1", {404}, "./"),
        (b"GET nothing HTTP/1.1", {400, 404}, ""),
        (b"POST http://elsewhere.example/runs HTTP/1.1", {405}, "runs"),
        (b"TRACE / HTTP/1.1", {404, 405}, "./"),
        (b"BREW /runs HTTP/1.1", {405}, "runs"),
    ],
)
def test_every_error_is_a_problem_whatever_the_request_target(
    server: Server, line: bytes, statuses: set[int], instance: str
) -> None:
    answer = server.say(line + b"\r\nHost: service\r\nConnection: close\r\n\r\n")
    status, headers = head_of(answer)
    assert status in statuses
    assert headers["content-type"] == "application/problem+json"
    check_safe(headers)
    document = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert (document["status"], document["instance"]) == (status, instance)


def test_two_tokens_are_none(server: Server) -> None:
    answer = server.get(b"/runs/run1/tags", b"Authorization: Bearer " + server.token.encode())
    assert head_of(answer)[0] == 401


def test_every_line_of_the_log_is_the_servers_own(server: Server) -> None:
    server.get(b"/%0a%7b%22event%22:%22refusal%22%7d", b'X-Request-ID: a{"event": "refusal"}')
    server.say(b'GET /\x0b{"event":"refusal"} HTTP/1.1\r\n\r\n')
    server.get(token=False)
    eventually(lambda: b'"event": "refusal"' in server.log.read_bytes())
    for line in server.log.read_text().splitlines():
        assert line.startswith('{"time": "')
        assert line.endswith("}")
    assert server.token.split(".")[2] not in server.log.read_text()
