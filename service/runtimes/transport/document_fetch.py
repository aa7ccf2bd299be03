"""Fetches key sets and discovery documents from other servers."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

from service.concurrency.deadline import Deadline
from service.domain.errors import BadGateway, RateLimited, RuntimeUnavailable
from service.runtimes.transport.http_transport import HttpTransport
from service.runtimes.transport.retries import retry_after, whole_seconds

_NO_HEADERS: Mapping[str, str] = MappingProxyType({})
_OK, _TOO_MANY, _SERVER_ERROR = 200, 429, 500


class DocumentFetch(Protocol):
    """Gets the body of a 200 within ``timeout`` seconds; raises ``RuntimeTrouble`` for anything else."""

    def __call__(
        self, url: str, timeout: float, max_bytes: int, headers: Mapping[str, str] = _NO_HEADERS, /
    ) -> bytes: ...


def fetch_document(transport: HttpTransport) -> DocumentFetch:
    """A fetch over a transport, with the given headers and those of the transport."""

    def fetch(url: str, timeout: float, max_bytes: int, headers: Mapping[str, str] = _NO_HEADERS, /) -> bytes:
        deadline = Deadline.after(timeout)
        answer = transport.exchange(
            "GET", url, headers=headers, deadline=deadline, operation="document", max_body_bytes=max_bytes
        )
        if answer.status == _TOO_MANY:
            raise RateLimited(whole_seconds(retry_after(answer.headers)))
        if answer.status >= _SERVER_ERROR:
            raise RuntimeUnavailable("the server of a document answers with an error")
        if answer.status != _OK:
            raise BadGateway("the server of a document does not return it")
        return answer.body

    return fetch
