"""Credentials that do not change: a user's name and password (RFC 7617), or a bearer token (RFC 6750)."""

from __future__ import annotations

from base64 import b64encode

from service.concurrency.deadline import Deadline


class FixedCredentials:
    """A ``TokenSource`` of one value for the ``Authorization`` header."""

    def __init__(self, authorization: str) -> None:
        self._authorization = authorization

    @classmethod
    def basic(cls, username: str, password: str) -> FixedCredentials:
        return cls("Basic " + b64encode(f"{username}:{password}".encode()).decode("ascii"))

    @classmethod
    def bearer(cls, token: str) -> FixedCredentials:
        return cls(f"Bearer {token}")

    def authorization(self, _: Deadline) -> str:
        return self._authorization

    def invalidate(self, authorization: str) -> None:
        """There is no other value."""
