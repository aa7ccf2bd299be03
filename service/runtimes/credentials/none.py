"""A runtime that asks for no credentials."""

from __future__ import annotations

from service.domain.deadlines import Deadline


class NoCredentials:
    """Gives none; a ``TokenSource``. Also for where only callers' own tokens are sent."""

    def authorization(self, deadline: Deadline) -> None:
        return None

    def invalidate(self, authorization: str) -> None:
        """There is nothing to replace."""
