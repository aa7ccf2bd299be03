"""Metric resources on SQLite. Metrics are kept as the JSON text that was logged, so that no digit is lost."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

from service.sandbox.database import Database
from service.sandbox.lifecycle import logged
from service.sandbox.objects import Kind, Page, get, put
from service.sandbox.tag_filters import TagFilter

SECTIONS = ("metrics", "tags", "customInfo")
_PIECE_BYTES = 64 * 1024

NamedValues = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Addition:
    """What one request adds to a metric resource.

    ``metrics`` is JSON objects separated by commas, empty for none; ``tags`` and ``custom_info`` are (name, value).
    """

    metrics: bytes = b""
    tags: NamedValues = ()
    custom_info: NamedValues = ()


@dataclass(frozen=True, slots=True)
class Selection:
    """Which metric resources are asked for: those of ``ids`` (``None``: of every execution) that pass ``tags``."""

    ids: Sequence[str] | None
    tags: Sequence[TagFilter]
    page: Page
    sections: frozenset[str]


class MetricStore:
    """All metric resources of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, group: str, execution_id: str, addition: Addition, now: str) -> bool:
        """Append metrics, set tags and custom info by name; ``False`` where there is no such execution."""
        with self._database.writing() as connection:
            execution = get(connection, group, Kind.EXECUTION, execution_id)
            if execution is None:
                return False
            put(connection, group, Kind.EXECUTION, logged(execution, now))
            add(connection, group, execution_id, addition, now)
        return True

    def delete(self, group: str, execution_id: str) -> bool:
        """Delete everything logged for one execution; whether there was anything."""
        with self._database.writing() as connection:
            done = connection.execute(
                "DELETE FROM metric_resources WHERE resource_group = ? AND execution_id = ?", (group, execution_id)
            )
            return done.rowcount > 0

    def answer(self, group: str, selection: Selection) -> Iterator[bytes]:
        """The pieces of ``{"count": …, "resources": […]}``, read as they are sent. Close it to let go of the data."""
        with self._database.reading() as connection:
            found = _positions(connection, group, selection)
            chosen = found[selection.page.skip :][: selection.page.top]
            yield from _pieces(_resources(connection, len(found), chosen, selection.sections))


def add(connection: sqlite3.Connection, group: str, execution_id: str, addition: Addition, now: str) -> None:
    """As :meth:`MetricStore.add`, within a transaction and without asking whether the execution exists."""
    resource = connection.execute(
        "INSERT INTO metric_resources (resource_group, execution_id, created_at, modified_at) VALUES (?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET modified_at = excluded.modified_at RETURNING position",
        (group, execution_id, now, now),
    ).fetchone()[0]
    if addition.metrics:
        connection.execute("INSERT INTO metric_batches (resource, body) VALUES (?, ?)", (resource, addition.metrics))
    for section, values in (("tags", addition.tags), ("customInfo", addition.custom_info)):
        connection.executemany(
            "INSERT INTO named_values (resource, section, name, value) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (resource, section, name) DO UPDATE SET value = excluded.value",
            [(resource, section, name, value) for name, value in values],
        )


def _positions(connection: sqlite3.Connection, group: str, selection: Selection) -> list[int]:
    conditions, values = ["resource_group = ?"], [group]
    if selection.ids is not None:
        conditions.append(f"execution_id IN ({', '.join('?' * len(selection.ids))})")
        values += selection.ids
    for tag in selection.tags:
        conditions.append(tag.condition)
        values += tag.values
    rows = connection.execute(
        f"SELECT position FROM metric_resources WHERE {' AND '.join(conditions)} ORDER BY position",  # noqa: S608
        values,
    )
    return [row[0] for row in rows]


def _resources(
    connection: sqlite3.Connection, count: int, chosen: Sequence[int], sections: frozenset[str]
) -> Iterator[bytes]:
    yield b'{"count":%d,"resources":[' % count
    for number, position in enumerate(chosen):
        yield b"," if number else b""
        yield from _resource(connection, position, sections)
    yield b"]}"


def _resource(connection: sqlite3.Connection, position: int, sections: frozenset[str]) -> Iterator[bytes]:
    yield _head(connection, position)
    if "metrics" in sections:
        yield b',"metrics":['
        yield from _metrics(connection, position)
        yield b"]"
    for section in ("tags", "customInfo"):
        if section in sections:
            yield b',"%s":' % section.encode()
            yield _named_values(connection, position, section)
    yield b"}"


def _head(connection: sqlite3.Connection, position: int) -> bytes:
    row = connection.execute(
        "SELECT execution_id, created_at, modified_at FROM metric_resources WHERE position = ?", (position,)
    ).fetchone()
    return json.dumps(dict(zip(("executionId", "createdAt", "modifiedAt"), row, strict=True)))[:-1].encode()


def _metrics(connection: sqlite3.Connection, position: int) -> Iterator[bytes]:
    statement = "SELECT body FROM metric_batches WHERE resource = ? ORDER BY position"
    with closing(connection.execute(statement, (position,))) as rows:
        for number, (body,) in enumerate(rows):
            if number:
                yield b","
            yield body


def _named_values(connection: sqlite3.Connection, position: int, section: str) -> bytes:
    rows = connection.execute(
        "SELECT name, value FROM named_values WHERE resource = ? AND section = ? ORDER BY position",
        (position, section),
    )
    return json.dumps([{"name": name, "value": value} for name, value in rows], ensure_ascii=False).encode()


def _pieces(parts: Iterator[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces that are large enough for a write."""
    gathered = bytearray()
    for part in parts:
        gathered += part
        if len(gathered) >= _PIECE_BYTES:
            yield bytes(gathered)
            gathered.clear()
    yield bytes(gathered)
