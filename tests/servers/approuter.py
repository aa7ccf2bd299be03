"""A small proxy that plays an approuter: a session cookie comes in, a bearer token goes out."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COOKIE = "session"
_DROPPED = frozenset({"connection", "keep-alive", "transfer-encoding", "cookie", "authorization", "host"})
_LOGIN = b"<!doctype html><title>Log in</title><h1>Log in at the identity provider</h1>"


class Approuter(ThreadingHTTPServer):
    """In front of the service on port ``upstream``. ``sessions`` are the good ones, each with its token.

    Without a session it answers ``200`` with a login page; ``401`` to scripts that say they are such, unless it is
    ``careless`` of that.
    """

    daemon_threads = True

    def __init__(self, upstream: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream = upstream
        self.sessions: dict[str, str] = {}
        self.careless = False
        self.scripts_seen: set[str] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/app"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Approuter

    def do_GET(self) -> None:
        path = self.path.removeprefix("/app")
        token = self.server.sessions.get(self._session())
        is_script = self.headers.get("X-Requested-With") == "XMLHttpRequest"
        if is_script:
            self.server.scripts_seen.add(path.partition("?")[0])
        if token is None:
            status = 401 if is_script and not self.server.careless else 200
            self._give(status, {"Content-Type": "text/html"}, _LOGIN)
            return
        with closing(http.client.HTTPConnection("127.0.0.1", self.server.upstream, timeout=60)) as connection:
            headers = {name: value for name, value in self.headers.items() if name.lower() not in _DROPPED}
            connection.request("GET", path, headers={**headers, "Authorization": f"Bearer {token}"})
            answer = connection.getresponse()
            kept = {name: value for name, value in answer.getheaders() if name.lower() not in _DROPPED}
            self._give(answer.status, kept, answer.read())

    def _session(self) -> str:
        pairs = (pair.strip().partition("=") for pair in self.headers.get("Cookie", "").split(";"))
        return next((value for name, _, value in pairs if name == COOKIE), "")

    def _give(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            if name.lower() != "content-length":
                self.send_header(name, value)
        if status != 304:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@contextmanager
def approuter(upstream: int) -> Iterator[Approuter]:
    with Approuter(upstream) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
