"""What adapters need of HTTP; ``transport.ResilientClient`` gives it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from service.concurrency.deadline import Deadline


class HTTPAnswer(Protocol):
    """An HTTP answer, its body decompressed."""

    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def body(self) -> bytes: ...


class HTTPClient(Protocol):
    """Reads below the runtime's base URL, with credentials, retries and a circuit breaker."""

    def read(
        self,
        path: str,
        *,
        query: Sequence[tuple[str, str]] = (),
        document: bytes | None = None,
        headers: Mapping[str, str],
        deadline: Deadline,
        operation: str,
        caller_token: str | None,
    ) -> HTTPAnswer:
        """By ``GET``, or by ``POST`` with a JSON ``document`` where the runtime reads so."""
        ...
