"""Fetches documents of other servers that the service relies on: key sets and discovery documents."""

from __future__ import annotations

from collections.abc import Callable

from service.domain.deadlines import Deadline
from service.domain.errors import BadGateway, RateLimited, RuntimeUnavailable
from service.runtimes.transport.http_transport import HttpTransport
from service.runtimes.transport.retry_after import retry_after, whole_seconds

_OK, _TOO_MANY, _SERVER_ERROR = 200, 429, 500


def fetch_document(transport: HttpTransport) -> Callable[[str, float, int], bytes]:
    """A function of URL, timeout in seconds and most bytes, that gives the body of a 200.

    It raises ``RuntimeTrouble`` for anything else.
    """

    def fetch(url: str, timeout: float, max_bytes: int) -> bytes:
        deadline = Deadline.after(timeout)
        answer = transport.exchange(
            "GET", url, headers={}, deadline=deadline, operation="document", max_body_bytes=max_bytes
        )
        if answer.status == _TOO_MANY:
            raise RateLimited(whole_seconds(retry_after(answer.headers)))
        if answer.status >= _SERVER_ERROR:
            raise RuntimeUnavailable("the server of a document answers with an error")
        if answer.status != _OK:
            raise BadGateway("the server of a document does not give it")
        return answer.body

    return fetch
