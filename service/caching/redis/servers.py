"""What the cache needs of its servers, one or many, and whichever of them holds a key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from redis import Redis


class Share(NamedTuple):
    """Keys that one server holds and that may stand together in one command."""

    server: str
    client: Any
    keys: list[str]


class Servers(Protocol):
    """Where keys are. Every method raises whatever redis-py raises."""

    name: str

    @property
    def connected(self) -> bool:
        """Whether ``shares`` can be called without ``connect`` before it."""
        ...

    def connect(self) -> None: ...

    def shares(self, keys: Sequence[str]) -> list[Share]:
        """``keys`` by the server that holds them. Asks nobody."""
        ...

    def clients(self) -> Mapping[str, Redis]:
        """A client of each server that holds keys. Asks nobody."""
        ...

    def lose(self) -> None:
        """No server that is known can be reached: forget that they are ``connected``."""
        ...

    def ping(self) -> None: ...

    def close(self) -> None: ...


class Single:
    """One server, or one master at a time. ``others`` are clients to close along with the one that is used."""

    connected = True

    def __init__(self, name: str, client: Redis, *others: Redis) -> None:
        self.name = name
        self._client = client
        self._others = others

    def connect(self) -> None:
        """A connection is made when it is needed."""

    def lose(self) -> None:
        """There is nothing to forget."""

    def shares(self, keys: Sequence[str]) -> list[Share]:
        return [Share(self.name, self._client, list(keys))]

    def clients(self) -> Mapping[str, Redis]:
        return {self.name: self._client}

    def ping(self) -> None:
        self._client.ping()

    def close(self) -> None:
        for client in (self._client, *self._others):
            client.close()
