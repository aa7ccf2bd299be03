"""gunicorn's worker and logger, speaking as the rest of the service does: problems, and one JSON object a line."""

from __future__ import annotations

import json
import logging
import uuid
from typing import Any

from gunicorn.glogging import Logger as GunicornLogger
from gunicorn.http import errors
from gunicorn.workers.gthread import ThreadWorker

from service.cli.allocator import give_back
from service.cli.threads import LendingThreads

MOST_WAITING = 256
"""Requests of a worker that may wait for the runtime at once; any further one is refused."""

_log = logging.getLogger("service.server")
_REFUSED: tuple[tuple[type[Exception], int, str, str], ...] = (
    (errors.LimitRequestLine, 414, "uri-too-long", "URI Too Long"),
    (errors.LimitRequestHeaders, 431, "request-header-fields-too-large", "Request Header Fields Too Large"),
    (errors.ExpectationFailed, 417, "expectation-failed", "Expectation Failed"),
    (errors.UnsupportedTransferCoding, 501, "not-implemented", "Not Implemented"),
    (errors.ParseException, 400, "bad-request", "Bad Request"),
)


class Worker(ThreadWorker):
    """A threaded worker that refuses what is not HTTP with a problem document (RFC 9457)."""

    def init_process(self) -> None:
        give_back()
        super().init_process()

    def get_thread_pool(self) -> LendingThreads:  # type: ignore[override]
        """The threads that serve requests; those that wait for the runtime give their place to others."""
        return LendingThreads(self.cfg.threads, MOST_WAITING)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Answer a request that never reached the application."""
        status, slug, title = next(
            ((status, slug, title) for kind, status, slug, title in _REFUSED if isinstance(exc, kind)),
            (500, "internal-error", "Internal Server Error"),
        )
        request_id = str(uuid.uuid4())
        failed = status == 500
        _log.log(
            logging.ERROR if failed else logging.INFO,
            "request not served",
            exc_info=exc if failed else None,
            extra={"event": "bad-request", "status": status, "problem": slug, "requestId": request_id},
        )
        try:
            client.sendall(_problem(status, slug, title, request_id))
        except OSError:
            _log.debug("the client had gone")


class Logger(GunicornLogger):
    """Sends gunicorn's own messages through the service's logs."""

    def setup(self, cfg: Any) -> None:
        self.error_log = logging.getLogger("gunicorn.error")
        self.error_log.setLevel(str(cfg.loglevel).upper())
        self.error_log.propagate = True
        self.access_log.disabled = True

    def reopen_files(self) -> None:
        """There are none."""

    def close_on_exec(self) -> None:
        """There is nothing to close."""


_DETAILS = {
    414: "the URL is longer than is read",
    431: "the header fields are more, or longer, than are read",
}


def _problem(status: int, slug: str, title: str, request_id: str) -> bytes:
    document = {
        "type": f"urn:metric-resource:{slug}",
        "title": title,
        "status": status,
        "detail": _DETAILS.get(status, "the request is not valid HTTP" if status < 500 else "the service failed"),
        "instance": "",
        "requestId": request_id,
    }
    body = json.dumps(document).encode()
    head = (
        f"HTTP/1.1 {status} {title}\r\nContent-Type: application/problem+json\r\nContent-Length: {len(body)}\r\n"
        f"X-Request-ID: {request_id}\r\nX-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n"
        "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\nCache-Control: no-store\r\n"
        "Connection: close\r\n\r\n"
    )
    return head.encode("ascii") + body
