"""Callers, and what a route requires of them.

A *scope* is what code checks, a *role* grants scopes, a *role collection* bundles roles and is what an administrator
assigns. Scopes here are bare names, without the application prefix that tokens carry.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

import msgspec


class Scope(StrEnum):
    """The scopes that the service knows."""

    METRICS_READ = "scenarios.metrics.read"
    EXECUTIONS_READ = "scenarios.executions.read"
    LOGS_READ = "scenarios.executions.logs.read"
    ALL_RESOURCE_GROUPS = "allow_all_resourcegroups"


@dataclass(frozen=True, slots=True)
class Principal:
    """A verified caller.

    ``scopes`` are those of the token and those that its roles and role collections grant. ``resource_groups`` restricts
    the caller to these; ``None`` is no restriction. ``zone`` is the token's ``zoneinfo`` claim, unchecked.
    ``expires_at`` is in seconds since the epoch. ``token`` is the encoded token itself, for a runtime that is
    read with the caller's token.
    """

    subject: str
    tenant: str
    issuer: str
    scopes: frozenset[str]
    resource_groups: frozenset[str] | None
    expires_at: float
    token: str = field(repr=False)
    zone: str | None = None

    def has(self, scope: str) -> bool:
        return scope in self.scopes

    def may_use(self, resource_group: str) -> bool:
        return self.resource_groups is None or resource_group in self.resource_groups


class AccessRule(msgspec.Struct, frozen=True):
    """Who may use a route: ``token`` is whether a token is required; all of ``scopes`` are."""

    token: bool
    scopes: tuple[Scope, ...] = ()


def allows(principal: Principal, rule: AccessRule, resource_group: str | None) -> bool:
    """Whether a verified caller may use a route for a resource group; ``None`` where the answer belongs to none.

    This is the only decision on access: the guard, the reader of requests and the response cache call it, and event
    streams while they are open.
    """
    for scope in rule.scopes:
        if scope not in principal.scopes:
            return False
    return resource_group is None or principal.may_use(resource_group)


class TokenVerifier(Protocol):
    """Turns the ``Authorization`` header into a principal."""

    def verify(self, authorization: str | None) -> Principal:
        """Return the caller.

        Raises ``Unauthenticated`` without credentials, ``InvalidToken`` where they are not valid, ``KeysUnavailable``
        where no key of the issuer could ever be loaded.
        """
        ...

    def known(self, authorization: str | None) -> Principal | None:
        """The caller, if this very header was verified before and is still valid; costs only a hash."""
        ...

    def keys_loaded(self) -> Mapping[str, bool]:
        """For each trusted issuer, whether at least one key of it is loaded."""
        ...

    def start(self) -> None:
        """Begin loading and refreshing keys in the background; called once per process."""
        ...

    def close(self) -> None:
        """Stop what ``start`` began."""
        ...


class Grants(msgspec.Struct, frozen=True):
    """The known roles and role collections that grant a scope, for a helpful refusal."""

    roles: tuple[str, ...]
    role_collections: tuple[str, ...]


class GrantDirectory(Protocol):
    """Finds the roles and role collections that grant a scope."""

    def granting(self, scope: str) -> Grants: ...
