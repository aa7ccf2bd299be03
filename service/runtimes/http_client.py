"""The HTTP protocol that adapters use, implemented by ``transport.ResilientClient``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from service.concurrency.deadline import Deadline


@dataclass(frozen=True, slots=True, kw_only=True)
class HTTPRequest:
    """A read of ``path`` below the runtime's base URL, which ends by ``deadline``.

    It is made by ``GET``, or by ``POST`` with the JSON ``document`` where the runtime reads so. ``operation`` names it
    in metrics and logs. A ``caller_token`` is the only credential sent; without it, the service's own are.
    """

    path: str
    query: Sequence[tuple[str, str]] = ()
    document: bytes | None = None
    headers: Mapping[str, str]
    deadline: Deadline
    operation: str
    caller_token: str | None = field(repr=False)


class HTTPAnswer(Protocol):
    """An HTTP answer, its body decompressed."""

    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def body(self) -> bytes: ...


class HTTPClient(Protocol):
    """Reads with credentials, retries and a circuit breaker."""

    def read(self, request: HTTPRequest) -> HTTPAnswer: ...
