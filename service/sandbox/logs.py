"""The logs of runs: their standard output and error."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from service.sandbox.clock import nanoseconds
from service.sandbox.database import Database

Line = Mapping[str, Any]
"""``timestamp``, ``msg``, ``container``, ``pod`` and ``stream``, as the AI API has them."""


@dataclass(frozen=True, slots=True)
class Range:
    """From ``start``, inclusive, to ``end``, exclusive, in nanoseconds since the epoch; at most ``top`` lines."""

    start: int
    end: int
    top: int
    descending: bool = False


class Logs:
    """The logs of all executions of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def write(self, group: str, execution_id: str, lines: Iterable[Line]) -> None:
        with self._database.writing() as connection:
            write(connection, group, execution_id, lines)

    def read(self, group: str, execution_id: str, wanted: Range) -> list[dict[str, Any]]:
        """The first lines of the range; of one instant in the order in which they were written."""
        direction = "DESC" if wanted.descending else "ASC"
        where = "resource_group = ? AND execution_id = ? AND instant >= ? AND instant < ?"
        order = f"instant {direction}, position {direction}"
        statement = f"SELECT body FROM log_lines WHERE {where} ORDER BY {order} LIMIT ?"  # noqa: S608
        values = (group, execution_id, wanted.start, wanted.end, wanted.top)
        with self._database.reading() as connection:
            return [json.loads(row[0]) for row in connection.execute(statement, values)]

    def delete(self, group: str, execution_id: str) -> None:
        with self._database.writing() as connection:
            connection.execute(
                "DELETE FROM log_lines WHERE resource_group = ? AND execution_id = ?", (group, execution_id)
            )


def write(connection: sqlite3.Connection, group: str, execution_id: str, lines: Iterable[Line]) -> None:
    """As :meth:`Logs.write`, within a transaction."""
    connection.executemany(
        "INSERT INTO log_lines (resource_group, execution_id, instant, body) VALUES (?, ?, ?, ?)",
        [(group, execution_id, nanoseconds(line["timestamp"]), json.dumps(line, ensure_ascii=False)) for line in lines],
    )
