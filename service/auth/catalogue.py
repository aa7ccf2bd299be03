"""Which roles and role collections grant which scopes.

The built-in catalogue is ``catalogue.toml``; a file of the same form, named by ``ROLE_CATALOGUE``, extends it, or
replaces it with ``extends = false``. A role or collection that is named again is redefined, and every role in a
collection must be known::

    extends = true

    [roles]
    model_reviewer = ["scenarios.metrics.read"]

    [role_collections]
    "Model Reviewers" = ["model_reviewer", "scenario_job_viewer"]
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from service.domain.access import Grants

_TABLES = ("roles", "role_collections")


class RoleCatalogue:
    """Roles by the scopes they grant, role collections by the roles they bundle."""

    def __init__(self, roles: Mapping[str, Iterable[str]], role_collections: Mapping[str, Iterable[str]]) -> None:
        self._roles = {name: frozenset(scopes) for name, scopes in roles.items()}
        self._collections = {name: frozenset(bundled) for name, bundled in role_collections.items()}

    def scopes(self, roles: Iterable[str], role_collections: Iterable[str]) -> set[str]:
        """The scopes that these grant together; unknown names grant nothing."""
        held = set(roles)
        for collection in role_collections:
            held |= self._collections.get(collection, frozenset())
        return {scope for role in held for scope in self._roles.get(role, ())}

    def granting(self, scope: str) -> Grants:
        """See ``domain.access.GrantDirectory``."""
        roles = sorted(role for role, scopes in self._roles.items() if scope in scopes)
        collections = sorted(name for name, bundled in self._collections.items() if not bundled.isdisjoint(roles))
        return Grants(tuple(roles), tuple(collections))


def load_catalogue(path: str | None = None) -> RoleCatalogue:
    """The built-in catalogue, extended or replaced by the file at ``path``.

    Raises ``ValueError`` naming the file and the entry that is wrong.
    """
    built_in = _built_in()
    if path is None:
        return RoleCatalogue(built_in["roles"], built_in["role_collections"])
    own = _read(_text(path), path)
    base = built_in if own["extends"] else {table: {} for table in _TABLES}
    roles, role_collections = ({**base[table], **own[table]} for table in _TABLES)
    for name, bundled in own["role_collections"].items():
        if unknown := set(bundled) - set(roles):
            raise ValueError(f"{path}: role_collections.{name}: there is no role {min(unknown)!r}")
    return RoleCatalogue(roles, role_collections)


@cache
def _built_in() -> dict[str, Any]:
    return _read((resources.files("service.auth") / "catalogue.toml").read_text("utf-8"), "catalogue.toml")


def _text(path: str) -> str:
    try:
        return Path(path).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: cannot be read: {error}") from error


def _read(text: str, name: str) -> dict[str, Any]:
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{name}: {error}") from error
    unknown = set(found) - {"extends", *_TABLES}
    if unknown:
        raise ValueError(f"{name}: {sorted(unknown)[0]}: only extends, roles and role_collections are known")
    if not isinstance(found.get("extends", True), bool):
        raise ValueError(f"{name}: extends: must be true or false")
    for table in _TABLES:
        _check(name, table, found.setdefault(table, {}))
    return {"extends": True, **found}


def _check(name: str, table: str, entries: Any) -> None:
    if not isinstance(entries, dict):
        raise ValueError(f"{name}: {table}: must be a table")
    for entry, values in entries.items():
        if not isinstance(values, list) or not all(isinstance(value, str) and value for value in values):
            raise ValueError(f"{name}: {table}.{entry}: must be a list of names")
