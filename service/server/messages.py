"""gunicorn's requests and responses without features that the service does not use and every request would pay for."""

from __future__ import annotations

import time
from functools import lru_cache
from typing import Any

from gunicorn.http.message import Request
from gunicorn.http.wsgi import Response
from gunicorn.util import http_date


class PlainRequest(Request):
    """A request without headers of trusted proxies, whose peer's address is therefore not parsed."""

    def _peer_trusted_for_forwarded(self) -> tuple[dict[str, str], list[str]]:
        return {}, []


class DatedResponse(Response):
    """A response whose ``Date`` is formatted once a second."""

    def default_headers(self) -> list[Any]:
        major, minor = self.req.version or (1, 1)
        headers = [
            f"HTTP/{major}.{minor} {self.status}\r\n",
            f"Server: {self.version}\r\n",
            _date(int(time.time())),
            "Connection: close\r\n" if self.should_close() else "Connection: keep-alive\r\n",
        ]
        if self.chunked:
            headers.append("Transfer-Encoding: chunked\r\n")
        return headers


@lru_cache(maxsize=2)
def _date(seconds: int) -> str:
    return f"Date: {http_date(seconds)}\r\n"
