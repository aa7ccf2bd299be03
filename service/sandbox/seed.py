"""Puts the recorded runs into a new database, once: what a user deletes afterwards stays deleted."""

from __future__ import annotations

import sqlite3

from service.sandbox import logs, recorded
from service.sandbox.database import Database
from service.sandbox.metric_store import Addition, add
from service.sandbox.objects import Kind, put
from service.sandbox.recorded import Body, Recording

_NOTE = "seeded"


def seed(database: Database) -> None:
    """Add every recorded run where the database has never been seeded."""
    with database.writing() as connection:
        if connection.execute("SELECT 1 FROM notes WHERE name = ?", (_NOTE,)).fetchone():
            return
        for run in recorded.names():
            _add(connection, run)
        connection.execute("INSERT INTO notes (name, value) VALUES (?, ?)", (_NOTE, "recorded runs"))


def _add(connection: sqlite3.Connection, name: str) -> None:
    recording = recorded.read(name)
    _objects(connection, recording)
    logs.write(connection, recording.resource_group, recording.execution["id"], recorded.log(name))
    if recording.metric_resource is not None:
        _metric_resource(connection, recording, recording.metric_resource)
        for metrics in recorded.batches(name):
            _log(connection, recording, Addition(metrics), recording.metric_resource["modifiedAt"])


def _objects(connection: sqlite3.Connection, recording: Recording) -> None:
    group = recording.resource_group
    put(connection, group, Kind.SCENARIO, recording.scenario)
    put(connection, group, Kind.EXECUTABLE, recording.executable)
    put(connection, group, Kind.CONFIGURATION, recording.configuration)
    put(connection, group, Kind.EXECUTION, recording.execution)
    for artifact in recording.artifacts:
        put(connection, group, Kind.ARTIFACT, artifact)


def _metric_resource(connection: sqlite3.Connection, recording: Recording, resource: Body) -> None:
    tags = [(tag["name"], tag["value"]) for tag in resource["tags"]]
    custom_info = [(info["name"], info["value"]) for info in resource["customInfo"]]
    _log(connection, recording, Addition(b"", tags, custom_info), resource["createdAt"])


def _log(connection: sqlite3.Connection, recording: Recording, addition: Addition, moment: str) -> None:
    add(connection, recording.resource_group, recording.execution["id"], addition, moment)
