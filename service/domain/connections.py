"""The connections of a service: the runtimes that it reads, by name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from service.domain.errors import Forbidden
from service.domain.runtime import RuntimeKind


class Connection(msgspec.Struct, frozen=True):
    """A runtime with its name, and the settings of requests that read it.

    ``tenants`` are those whose callers may use it, ``None`` means all; ``resource_group`` that of requests without
    one; ``timeout`` in seconds the budget of a request; ``forwards_token`` whether the caller's token goes upstream.
    """

    name: str
    kind: RuntimeKind
    resource_group: str
    timeout: float
    forwards_token: bool = False
    description: str = ""
    tenants: frozenset[str] | None = None

    def open_to(self, tenant: str) -> bool:
        return self.tenants is None or tenant in self.tenants


class Connections:
    """All connections of a service, the ``default`` first."""

    def __init__(self, default: Connection, others: Sequence[Connection] = ()) -> None:
        self.default = default
        self._by_name = {connection.name: connection for connection in (default, *others)}

    def __iter__(self) -> Iterator[Connection]:
        return iter(self._by_name.values())

    def choose(self, name: str | None, tenant: str) -> Connection:
        """The connection called ``name``, or the default one.

        Raises ``Forbidden`` both for an unknown connection and for one that the tenant may not use, so that callers
        learn nothing about others' connections.
        """
        chosen = self.default if name is None else self._by_name.get(name)
        if chosen is None or not chosen.open_to(tenant):
            raise Forbidden("there is no such connection that this caller may use; see /connections")
        return chosen
