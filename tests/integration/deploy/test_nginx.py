"""``deploy/nginx.conf`` in a real nginx: what stays inside, what is bounded, and what it answers by itself."""

from __future__ import annotations

import http.client
import json
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from testing.ports import free_port
from testing.waiting import eventually
from tests.rows import each_row
from tests.servers.nginx import NGINX, proxy
from tests.servers.tls import Authority

CURL = shutil.which("curl")
if CURL is not None and b"HTTP2" not in subprocess.run([CURL, "--version"], capture_output=True, check=True).stdout:
    CURL = None
WRITTEN = "%{response_code},%{http_version},%{num_connects}\\n"
pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not installed (on Debian: apt-get install nginx)")


class Backend(ThreadingHTTPServer):
    """Answers every request with its path; while ``held`` is clear, it does not. Streams go on until ``streams_end``."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Echo)
        self.held = threading.Event()
        self.held.set()
        self.streams_end = threading.Event()


class _Echo(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Backend

    def do_GET(self) -> None:
        self.server.held.wait(60)
        if self.path.endswith("/events"):
            self._stream()
            return
        body = self.path.encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _stream(self) -> None:
        """One event, and no end for now."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(b"event: state\ndata: {}\n\n")
        self.server.streams_end.wait(60)

    def log_message(self, *_: object) -> None:
        """Nothing is logged."""


@pytest.fixture
def backend() -> Iterator[Backend]:
    with Backend() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.held.set()
        server.streams_end.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def front(tmp_path: Path, backend: Backend) -> Iterator[int]:
    with proxy(tmp_path, backend.server_address[1]) as port:
        yield port


def ask(port: int, path: str, **headers: str) -> tuple[int, http.client.HTTPMessage, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode()
    finally:
        connection.close()


def check_problem(status: int, headers: http.client.HTTPMessage, body: str) -> None:
    assert headers["Content-Type"] == "application/problem+json"
    assert headers["Cache-Control"] == "no-store"
    problem = json.loads(body)
    assert problem["status"] == status
    assert set(problem) == {"type", "title", "status", "detail", "instance", "requestId"}


@each_row("prefix", ["", "/metrics-api"])
@each_row("path", ["/runs?status=RUNNING&limit=2", "/docs", "/ui/", "/livez", "/openapi.json"])
def test_it_hands_on_what_is_the_services_below_a_prefix_too(front: int, prefix: str, path: str) -> None:
    status, headers, body = ask(front, prefix + path, **{"Accept-Encoding": "gzip"})
    assert (status, body) == (200, path)
    assert "Content-Encoding" not in headers


@each_row("prefix", ["", "/metrics-api"])
@each_row(
    "path",
    ["/metrics", "/readyz", "//metrics", "/./metrics", "/x/../readyz", "/%6detrics", "/x/%2e%2e/metrics", "/metrics?x"],
)
def test_what_is_for_inside_is_not_handed_out(front: int, prefix: str, path: str) -> None:
    status, headers, body = ask(front, prefix + path)
    assert status == 404
    check_problem(404, headers, body)


def test_a_client_that_asks_without_end_is_refused_for_a_while(tmp_path: Path) -> None:
    with proxy(tmp_path, free_port()) as front, socket.create_connection(("127.0.0.1", front), 20) as client:
        asked = b"GET /livez HTTP/1.1\r\nHost: x\r\n"
        client.sendall((asked + b"\r\n") * 399 + asked + b"Connection: close\r\n\r\n")
        answers = b"".join(iter(lambda: client.recv(65536), b""))
    assert answers.count(b"HTTP/1.1 503 ") >= 101  # nothing is behind it; the rate and the burst allow these
    assert answers.count(b"HTTP/1.1 429 ") >= 1
    assert answers.count(b"Retry-After: 1\r\n") == 400
    assert answers.count(b'"type":"urn:metric-resource:too-many-requests"') == answers.count(b"HTTP/1.1 429 ")


def test_a_client_has_so_many_requests_under_way_and_no_more(front: int, backend: Backend) -> None:
    backend.held.clear()
    with ExitStack() as stack:
        clients = [stack.enter_context(socket.create_connection(("127.0.0.1", front), 20)) for _ in range(40)]
        for client in clients:
            client.sendall(b"GET /runs HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        eventually(lambda: len([client for client in clients if _has_answered(client)]) >= 8)
        backend.held.set()
        answers = [b"".join(iter(lambda client=client: client.recv(65536), b"")) for client in clients]
    statuses = sorted(int(answer.split()[1]) for answer in answers)
    assert statuses == [200] * 32 + [429] * 8


def test_event_streams_are_handed_on_as_they_come_and_counted_by_themselves(front: int, backend: Backend) -> None:
    path = "/metrics-api/runs/r/metric-resource/events"
    with ExitStack() as stack:
        streams = []
        for _ in range(32):
            streams.append(http.client.HTTPConnection("127.0.0.1", front, timeout=20))
            stack.callback(streams[-1].close)
            streams[-1].request("GET", path)
            answer = streams[-1].getresponse()
            assert (answer.status, answer.read(6)) == (200, b"event:")
        status, headers, body = ask(front, path)
        assert status == 429
        check_problem(429, headers, body)
        assert ask(front, "/livez")[0] == 200, "streams leave room for others"
        backend.streams_end.set()


@pytest.mark.skipif(CURL is None, reason="curl with HTTP/2 is not installed")
def test_event_streams_share_one_connection_by_http_2(tmp_path: Path, backend: Backend) -> None:
    authority = Authority(tmp_path)
    with proxy(tmp_path, backend.server_address[1], authority.issue("127.0.0.1")) as port:
        urls = [f"https://127.0.0.1:{port}/runs/r{number}/metric-resource/events" for number in range(20)]
        asked = ["--http2", "--cacert", str(authority.certificate), "--max-time", "60", "--write-out", WRITTEN]
        command = [str(CURL), "--silent", "--no-buffer", "--parallel", "--parallel-max", "50", *asked]
        with subprocess.Popen(
            [*command, *urls], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ) as streams:
            assert streams.stdout is not None
            given = [streams.stdout.readline() for _ in range(3 * len(urls))]
            other = subprocess.run([*command, f"https://127.0.0.1:{port}/livez"], capture_output=True, check=True)
            backend.streams_end.set()
            ended = streams.stdout.read().split()
    assert given == ["event: state\n", "data: {}\n", "\n"] * len(urls), "each as it comes, none has ended"
    assert other.stdout.decode().startswith("/livez")
    assert {answer.split(",")[:2] == ["200", "2"] for answer in ended} == {True}
    assert sum(int(answer.split(",")[2]) for answer in ended) == 1, "connections"


def _has_answered(client: socket.socket) -> bool:
    client.settimeout(0.05)
    try:
        return bool(client.recv(1, socket.MSG_PEEK))
    except TimeoutError:
        return False
    finally:
        client.settimeout(20)


@each_row(
    "request_, refused",
    [
        (b"GET /" + b"a" * 40_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
        (b"GET /livez HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 40_000 + b"\r\n\r\n", 431),
        (b"POST /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n", 413),
        (b"GET /livez HTTP/1.1\r\n\r\n", 400),
        (b"GET /livez HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n", 400),
    ],
)
def test_what_is_too_long_or_no_http_is_refused_with_a_problem(front: int, request_: bytes, refused: int) -> None:
    with socket.create_connection(("127.0.0.1", front), 20) as client:
        client.sendall(request_)
        with http.client.HTTPResponse(client) as answer:
            answer.begin()
            body = answer.read().decode()
    assert answer.status == refused
    check_problem(refused, answer.headers, body)
