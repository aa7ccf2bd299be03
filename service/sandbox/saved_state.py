"""State that the sandbox keeps between starts, by name."""

from __future__ import annotations

from service.sandbox.database import Database


def read(database: Database, name: str) -> str | None:
    with database.reading() as connection:
        row = connection.execute("SELECT value FROM notes WHERE name = ?", (name,)).fetchone()
    return None if row is None else str(row[0])


def write(database: Database, name: str, value: str) -> None:
    with database.writing() as connection:
        connection.execute("INSERT OR REPLACE INTO notes (name, value) VALUES (?, ?)", (name, value))
