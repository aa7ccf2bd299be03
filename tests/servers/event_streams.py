"""Reads server-sent events (HTML Standard, 9.2) as ``EventSource`` does, over a connection of its own."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.servers.service_hosts import PATIENCE


@dataclass(frozen=True)
class Event:
    kind: str
    id: str
    data: Any


class EventStream:
    """One open stream. Iterating ends when the server ends it or the connection breaks."""

    def __init__(self, port: int, path: str, token: str, last: str | None = None, **headers: str) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        given = {"Authorization": f"Bearer {token}", **({"Last-Event-ID": last} if last is not None else {})}
        given.update((name.replace("_", "-"), value) for name, value in headers.items())
        self.connection.request("GET", path, headers=given)
        self.response = self.connection.getresponse()
        self.status = self.response.status
        self.comments = 0

    def __enter__(self) -> EventStream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.response.close()
        self.connection.close()

    def __iter__(self) -> Iterator[Event]:
        fields: dict[str, str] = {}
        while True:
            try:
                line = self.response.readline().decode()
            except (OSError, http.client.HTTPException):
                return
            if not line.endswith("\n"):
                return
            name, _, value = line.rstrip("\n").partition(": ")
            if line == "\n":
                if fields:
                    yield Event(fields["event"], fields["id"], json.loads(fields["data"]))
                    fields = {}
            elif line.startswith(":"):
                self.comments += 1
            else:
                fields[name] = value

    def until(self, kind: str) -> list[Event]:
        """All events up to the first of that kind."""
        got: list[Event] = []
        for event in self:
            got.append(event)
            if event.kind == kind:
                break
        return got


def steps(events: list[Event]) -> list[int]:
    """The steps of all points of the events, in order."""
    return [point["step"] for event in events if event.kind == "points" for point in event.data["metrics"]]
