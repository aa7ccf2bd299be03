"""What a client needs to know of credentials."""

from __future__ import annotations

from typing import Protocol

from service.domain.deadlines import Deadline


class TokenSource(Protocol):
    """Gives the ``Authorization`` header's value for exchanges with the service's own credentials. Thread-safe."""

    def authorization(self, deadline: Deadline) -> str | None:
        """The value to send, ``None`` for none. Ends by ``deadline``.

        Raises ``RuntimeTrouble`` where none can be had and ``RuntimeRefuses`` where the credentials are refused.
        """
        ...

    def invalidate(self, authorization: str) -> None:
        """That value was refused: give another next time, if there is hope for another."""
        ...
