"""Reads a runtime on behalf of a request: in its resource group, with its ids, and each answer once."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

from service.concurrency.single_flight import StillUnderWay
from service.domain.errors import RuntimeTimeout
from service.domain.runtime import RequestContext
from service.runtimes.http_client import HTTPAnswer, HTTPClient, HTTPRequest

T = TypeVar("T")


class RuntimeReader:
    """Reads one runtime. Thread-safe.

    ``group_header`` is the header for the resource group, sent to a runtime that ``has_groups``.
    """

    def __init__(self, client: HTTPClient, group_header: str, has_groups: Callable[[RequestContext], bool]) -> None:
        self._client = client
        self._group_header = group_header
        self._has_groups = has_groups

    def read(
        self,
        path: str,
        context: RequestContext,
        operation: str,
        query: Sequence[tuple[str, str]] = (),
        *,
        document: bytes | None = None,
        grouped: bool = True,
    ) -> HTTPAnswer:
        """The answer, see ``HTTPRequest``; one that is not ``grouped`` is the same for all resource groups."""
        headers = {"X-Request-ID": context.request_id, "traceparent": context.traceparent}
        if grouped and self._has_groups(context):
            headers[self._group_header] = context.cache_scope.resource_group
        return self._client.read(
            HTTPRequest(
                path=path,
                query=query,
                document=document,
                headers=headers,
                deadline=context.deadline,
                operation=operation,
                caller_token=context.cache_scope.token,
            )
        )


def once(key: Hashable, read: Callable[[], T], context: RequestContext) -> T:
    """The result of ``read``, which is called once per request for each ``key``. Raises ``RuntimeTimeout``."""
    try:
        return context.asked.get(key, read, context.deadline.remaining())
    except StillUnderWay:
        raise RuntimeTimeout from None
