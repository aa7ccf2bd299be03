"""A small proxy that plays an approuter: a session cookie comes in, a bearer token goes out."""

from __future__ import annotations

import html
import http.client
import secrets
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, quote, urlsplit

COOKIE = "session"
_DROPPED = frozenset({"connection", "keep-alive", "transfer-encoding", "cookie", "authorization", "host"})
_LOGIN = "<!doctype html><title>Log in</title><h1>Log in at the identity provider</h1>"
_PREFIX = "/app"


class Approuter(ThreadingHTTPServer):
    """In front of the service on port ``upstream``. ``sessions`` are the good ones, each with its token.

    Without a session it answers ``200`` with a login page; ``401`` to scripts that say they are such, unless it is
    ``careless`` of that. The login page has a link for each of the ``accounts``, names with the tokens that they get, and leads
    to where its reader wanted to go; ``/do/logout`` ends a session. ``answers`` are the paths and statuses that the service gave.
    """

    daemon_threads = True

    def __init__(self, upstream: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream = upstream
        self.sessions: dict[str, str] = {}
        self.accounts: Mapping[str, str] = {}
        self.answers: list[tuple[str, int]] = []
        self.careless = False
        self.scripts_seen: set[str] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/app"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body are sent apart: the second waits 40 ms for the acknowledgement
    server: Approuter

    def do_GET(self) -> None:
        path = self.path.removeprefix(_PREFIX)
        parts = urlsplit(path)
        if parts.path == "/login":
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            session = secrets.token_hex(8)
            self.server.sessions[session] = self.server.accounts[query["user"]]
            self._lead(query["to"], f"{COOKIE}={session}; Path={_PREFIX}; HttpOnly")
            return
        if parts.path == "/do/logout":
            self.server.sessions.pop(self._session(), None)
            self._lead(f"{_PREFIX}/ui/", f"{COOKIE}=; Path={_PREFIX}; Max-Age=0")
            return
        token = self.server.sessions.get(self._session())
        is_script = self.headers.get("X-Requested-With") == "XMLHttpRequest"
        if is_script:
            self.server.scripts_seen.add(path.partition("?")[0])
        if token is None:
            status = 401 if is_script and not self.server.careless else 200
            self._give(status, {"Content-Type": "text/html"}, self._login_page())
            return
        with closing(http.client.HTTPConnection("127.0.0.1", self.server.upstream, timeout=60)) as connection:
            headers = {name: value for name, value in self.headers.items() if name.lower() not in _DROPPED}
            connection.request("GET", path, headers={**headers, "Authorization": f"Bearer {token}"})
            answer = connection.getresponse()
            self.server.answers.append((path, answer.status))
            kept = {name: value for name, value in answer.getheaders() if name.lower() not in _DROPPED}
            self._give(answer.status, kept, answer.read())

    def _login_page(self) -> bytes:
        to = quote(self.path, safe="")
        links = [
            f'<a href="{_PREFIX}/login?user={name}&to={to}">{html.escape(name)}</a>' for name in self.server.accounts
        ]
        return "".join([_LOGIN, *links]).encode()

    def _lead(self, to: str, cookie: str) -> None:
        self._give(302, {"Location": to, "Set-Cookie": cookie, "Cache-Control": "no-store"}, b"")

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
        with suppress(BrokenPipeError, ConnectionResetError):  # a page that is left takes no more
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
