"""A stub of an AI runtime that costs next to nothing. ``python -m bench.upstream PORT SIZES DIRECTORY``: answers made
once, sent from memory.

It answers the service's requests of the AI API: a run ``run-<n>``, ``run-<n>-<s>`` or ``run-<n>-<s>-<more>`` has ``n``
points of some 147 bytes in ``s`` series (90), a file ``<run>.metrics`` in the directory is the answer for any other
(those called ``live-…`` are running), and 200 runs of 100 points are listed. It serves the service's own answers
(``/answers/<name>``, taken from files) to the proxy that it is compared with.
"""

from __future__ import annotations

import json
import re
import socket
import sys
import threading
from datetime import datetime, timedelta
from functools import cache, lru_cache
from pathlib import Path
from urllib.parse import unquote

_BEGAN = datetime(2026, 3, 29)  # noqa: DTZ001 - written as UTC below
META = {
    "runtimeIdentifier": "bench",
    "runtimeApiVersion": "2.21.0",
    "aiApi": {"version": "2.18.0", "capabilities": {"multitenant": True}},
    "extensions": {"metrics": {"version": "1.0.0", "capabilities": {"extendedResults": True}}},
}


def point(number: int, groups: int = 90) -> str:
    """One point as a runtime writes it: one a second, with a label of ``groups`` values."""
    moment = _BEGAN + timedelta(seconds=number, microseconds=number * 7919 % 1_000_000)
    return (
        f'{{"name":"loss","value":{1 / (number + 1.37)!r},"timestamp":"{moment.isoformat(timespec="microseconds")}Z",'
        f'"step":{number},"labels":[{{"name":"group","value":"tree-{number % groups}"}}]}}'
    )


_KEPT = 256
"""Answers, of which 10,000 would not have room."""
LISTED = tuple(f"run-100-10-{number}" for number in range(200))
"""The runs of the resource group, as ``GET /lm/executions`` has them."""


@lru_cache(_KEPT)
def metrics(run_ids: str) -> bytes:
    """The answer of ``GET /lm/metrics`` for runs, commas between them."""
    resources = ",".join(map(_resource, run_ids.split(",")))
    return f'{{"count":{run_ids.count(",") + 1},"resources":[{resources}]}}'.encode()


@cache
def _points(size: int, groups: int) -> str:
    return ",".join(point(number, groups) for number in range(size))


def _resource(run_id: str) -> str:
    size, groups = (int(part) for part in (*run_id.split("-")[1:3], "90")[:2])
    points = _points(size, groups)
    return (
        f'{{"executionId":"{run_id}","createdAt":"2026-03-29T00:58:13Z",'
        f'"modifiedAt":"2026-03-29T01:03:40Z","metrics":[{points}],"tags":[],"customInfo":[]}}'
    )


def _written(run_ids: list[str], answers: Path) -> bytes | None:
    """The metrics of runs from files, as one answer; ``None`` where one of them has no file."""
    try:
        found = [(answers / f"{run_id}.metrics").read_bytes() for run_id in run_ids]
    except FileNotFoundError:
        return None
    if len(found) == 1:
        return found[0]
    resources = b",".join(body[body.index(b"[") + 1 : body.rindex(b"]")] for body in found)
    return b'{"count":%d,"resources":[%b]}' % (len(found), resources)


_LOGS_OR_CONFIGURATION = re.compile(r"/lm/(?:(configurations)/([\w.-]+)|executions/([\w.-]+)/(logs))(?:\?|$)")


def _execution(run_id: str) -> dict[str, str]:
    ended = dict.fromkeys(("createdAt", "modifiedAt", "completionTime"), "2026-03-29T00:58:13Z")
    if run_id.startswith("live-"):
        return {"id": run_id, "configurationId": "c", "status": "RUNNING", "createdAt": ended["createdAt"]}
    return {"id": run_id, "configurationId": "c", "status": "COMPLETED", **ended}


MANY = "many"
"""The resource group of 100,000 runs."""


@cache
def _many() -> bytes:
    """One run every ten minutes, each of some 550 bytes."""
    began = datetime(2024, 11, 1)  # noqa: DTZ001 - written as UTC below
    runs = []
    for number in range(100_000):
        created, ended = (
            f"{(began + timedelta(minutes=10 * number, seconds=more)).isoformat()}Z" for more in (0, 60 + number % 997)
        )
        runs.append(
            {
                **_execution(f"run-{number:06}"),
                "status": "DEAD" if number % 10 == 3 else "COMPLETED",
                "configurationId": f"{number * 2654435761 % 2**32:08x}-c1d2-4e3f-8a9b-0123456789ab",
                "configurationName": f"tuning {number % 400}",
                "scenarioId": f"scenario-{number % 7}",
                "executableId": f"trainer-{number % 20}",
                "targetStatus": "COMPLETED",
                "createdAt": created,
                "submissionTime": created,
                "startTime": created,
                "completionTime": ended,
                "modifiedAt": ended,
            }
        )
    return json.dumps({"count": len(runs), "resources": runs}).encode()


def answer(path: str, answers: Path, group: str = "") -> tuple[bytes, str]:
    """The body for a path, and further header lines."""
    asked = re.search(r"executionIds=([^&]*)", path)
    if asked:
        run_ids = unquote(asked[1])
        return _written(run_ids.split(","), answers) or metrics(run_ids), ""
    if path.endswith("/lm/meta"):
        return json.dumps(META).encode(), ""
    name = path.rsplit("/", 1)[1]
    given = _LOGS_OR_CONFIGURATION.search(path)
    if given and (written := answers / f"{given[2] or given[3]}.{given[1] or given[4]}").exists():
        return written.read_bytes(), ""
    if path.startswith("/answers/"):
        coding = "Content-Encoding: gzip\r\n" if name.endswith(".gz") else ""
        return (answers / name).read_bytes(), f"Cache-Control: max-age=3600\r\n{coding}"
    if name.startswith("executions?status=RUNNING"):
        running = [_execution(written.stem) for written in answers.glob("live-*.metrics")]
        return json.dumps({"count": len(running), "resources": running}).encode(), ""
    if name.startswith("executions?") and group == MANY:
        return _many(), ""
    if name.startswith("executions?"):
        return json.dumps({"count": len(LISTED), "resources": list(map(_execution, LISTED))}).encode(), ""
    return json.dumps(_execution(name)).encode(), ""


def _serve(connection: socket.socket, answers: Path) -> None:
    with connection, connection.makefile("rb") as requests:
        while line := requests.readline():
            group = ""
            while (header := requests.readline()) not in {b"\r\n", b""}:
                if header.lower().startswith(b"ai-resource-group:"):
                    group = header.partition(b":")[2].strip().decode()
            body, more = answer(line.split()[1].decode(), answers, group)
            head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{more}Content-Length: {len(body)}\r\n\r\n"
            connection.sendall(head.encode() + body if len(body) < 65536 else head.encode())
            if len(body) >= 65536:
                connection.sendall(body)


def main(port: int, sizes: list[int], answers: Path) -> None:
    for size in sizes:
        metrics(f"run-{size}")
    with socket.create_server(("127.0.0.1", port), backlog=256) as listener:
        while True:
            connection, _ = listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=_serve, args=(connection, answers), daemon=True).start()


if __name__ == "__main__":
    main(int(sys.argv[1]), [int(size) for size in sys.argv[2].split(",") if size], Path(sys.argv[3]))
