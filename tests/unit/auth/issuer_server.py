"""A real HTTP server that plays an issuer in any mood, and a fetch that reads it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import requests
import urllib3

from service.domain.errors import BadGateway, RuntimeTimeout, RuntimeUnavailable
from tests.servers.serving import served

Answer = Callable[[], tuple[int, bytes, dict[str, str]]]


class IssuerServer:
    """Answers each path, with its query, by what ``routes`` says at the moment; 404 where it says nothing."""

    def __init__(self) -> None:
        self.routes: dict[str, Answer] = {}
        self.asked: list[str] = []
        self.headers: list[Mapping[str, str]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.host = f"127.0.0.1:{self._server.server_address[1]}"
        self.url = f"http://{self.host}"

    def give(self, path: str, document: Any, *, status: int = 200, **headers: str) -> None:
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        self.routes[path] = lambda: (status, body, headers)

    def hold(self, path: str, document: Any) -> threading.Event:
        """Answer only after the event is set."""
        go, body = threading.Event(), json.dumps(document).encode()

        def answer() -> tuple[int, bytes, dict[str, str]]:
            go.wait(20)
            return 200, body, {}

        self.routes[path] = answer
        return go

    @contextmanager
    def serving(self) -> Iterator[IssuerServer]:
        with served(self._server):
            yield self

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.asked.append(self.path)
                issuer.headers.append({name.lower(): value for name, value in self.headers.items()})
                status, body, headers = issuer.routes.get(self.path, lambda: (404, b"{}", {}))()
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                try:
                    self.wfile.write(body)
                except OSError:
                    self.close_connection = True

            def log_message(self, format: str, *args: Any) -> None:
                pass

        return Handler


def fetch(url: str, timeout: float, max_bytes: int, headers: Mapping[str, str] | None = None) -> bytes:
    """What the service's transport does, as simply as possible."""
    try:
        with requests.get(url, timeout=timeout, headers=headers, allow_redirects=False, stream=True) as answer:
            body = answer.raw.read(max_bytes + 1, decode_content=True)
    except requests.Timeout as error:
        raise RuntimeTimeout from error
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        raise RuntimeUnavailable from error
    if answer.status_code >= 500:
        raise RuntimeUnavailable
    if answer.status_code != 200 or len(body) > max_bytes:
        raise BadGateway("not a document")
    return body
