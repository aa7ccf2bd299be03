"""The protocol of the cache's servers, one or many, which finds the server of a key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from redis import Redis


class Share(NamedTuple):
    """Keys of one server that may be used in one command."""

    server: str
    client: Any
    keys: list[str]


class Servers(Protocol):
    """The servers of keys. Methods raise redis-py's errors."""

    name: str

    @property
    def connected(self) -> bool:
        """Whether ``shares`` can be called without ``connect`` before it."""
        ...

    def connect(self) -> None: ...

    def shares(self, keys: Sequence[str]) -> list[Share]:
        """``keys`` by the server that holds them, without a request."""
        ...

    def clients(self) -> Mapping[str, Redis]:
        """A client of each server that holds keys, without a request."""
        ...

    def lose(self) -> None:
        """Called when no known server can be reached; ``connected`` is false afterwards."""
        ...

    def ping(self) -> None: ...

    def close(self) -> None: ...


class Single:
    """One server, or one master at a time. ``others`` are clients to close along with its own."""

    connected = True

    def __init__(self, name: str, client: Redis, *others: Redis) -> None:
        self.name = name
        self._client = client
        self._others = others

    def connect(self) -> None:
        """Does nothing: connections are made when they are needed."""

    def lose(self) -> None:
        """Does nothing."""

    def shares(self, keys: Sequence[str]) -> list[Share]:
        return [Share(self.name, self._client, list(keys))]

    def clients(self) -> Mapping[str, Redis]:
        return {self.name: self._client}

    def ping(self) -> None:
        self._client.ping()

    def close(self) -> None:
        for client in (self._client, *self._others):
            client.close()
