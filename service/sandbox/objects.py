"""Scenarios, executables, configurations, artifacts and executions: JSON objects, kept apart by resource group."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from service.sandbox.database import Database


class Kind(StrEnum):
    SCENARIO = "scenario"
    EXECUTABLE = "executable"
    CONFIGURATION = "configuration"
    ARTIFACT = "artifact"
    EXECUTION = "execution"


@dataclass(frozen=True, slots=True)
class Page:
    """At most ``top`` objects after the first ``skip``."""

    top: int
    skip: int = 0


class Objects:
    """All objects of one database. An object's id is unique within its kind and resource group."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, group: str, kind: Kind, body: Mapping[str, Any]) -> None:
        """Add an object, or replace the one that has its ``id``."""
        with self._database.writing() as connection:
            put(connection, group, kind, body)

    def get(self, group: str, kind: Kind, id_: str) -> dict[str, Any] | None:
        with self._database.reading() as connection:
            return get(connection, group, kind, id_)

    def change(
        self, group: str, kind: Kind, id_: str, change: Callable[[dict[str, Any]], Mapping[str, Any]]
    ) -> dict[str, Any] | None:
        """Replace an object by what ``change`` makes of it; the result is the new one, ``None`` where there is none."""
        with self._database.writing() as connection:
            body = get(connection, group, kind, id_)
            if body is None:
                return None
            changed = dict(change(body))
            put(connection, group, kind, changed)
        return changed

    def delete(self, group: str, kind: Kind, id_: str) -> bool:
        """Remove an object; whether there was one."""
        with self._database.writing() as connection:
            done = connection.execute(
                "DELETE FROM objects WHERE resource_group = ? AND kind = ? AND id = ?", (group, kind, id_)
            )
            return done.rowcount > 0

    def count(self, group: str, kind: Kind, where: Mapping[str, Sequence[str]]) -> int:
        condition, values = _condition(group, kind, where)
        with self._database.reading() as connection:
            row = connection.execute(f"SELECT count(*) FROM objects WHERE {condition}", values)  # noqa: S608
            return int(row.fetchone()[0])

    def find(self, group: str, kind: Kind, where: Mapping[str, Sequence[str]], page: Page) -> list[dict[str, Any]]:
        """Objects whose members have one of the given values, in the order in which they were made."""
        condition, values = _condition(group, kind, where)
        statement = f"SELECT body FROM objects WHERE {condition} ORDER BY position LIMIT ? OFFSET ?"  # noqa: S608
        with self._database.reading() as connection:
            return [json.loads(row[0]) for row in connection.execute(statement, (*values, page.top, page.skip))]

    def groups(self) -> list[str]:
        """Every resource group that has an object."""
        with self._database.reading() as connection:
            rows = connection.execute("SELECT DISTINCT resource_group FROM objects ORDER BY resource_group")
            return [row[0] for row in rows]


def put(connection: sqlite3.Connection, group: str, kind: Kind, body: Mapping[str, Any]) -> None:
    connection.execute(
        "INSERT INTO objects (resource_group, kind, id, body) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (resource_group, kind, id) DO UPDATE SET body = excluded.body",
        (group, kind, body["id"], json.dumps(body, ensure_ascii=False)),
    )


def get(connection: sqlite3.Connection, group: str, kind: Kind, id_: str) -> dict[str, Any] | None:
    row = connection.execute(
        "SELECT body FROM objects WHERE resource_group = ? AND kind = ? AND id = ?", (group, kind, id_)
    ).fetchone()
    return None if row is None else json.loads(row[0])


def _condition(group: str, kind: Kind, where: Mapping[str, Sequence[str]]) -> tuple[str, list[str]]:
    conditions = ["resource_group = ? AND kind = ?"]
    values: list[str] = [group, kind]
    for member, wanted in where.items():
        marks = ", ".join("?" * len(wanted))
        conditions.append(f"json_extract(body, ?) IN ({marks})")
        values += [f"$.{member}", *wanted]
    return " AND ".join(conditions), values
