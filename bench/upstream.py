"""An AI runtime that costs next to nothing. ``python -m bench.upstream PORT SIZES DIRECTORY``: answers made once, sent
from memory.

It speaks the AI API for the service (run ``run-<n>`` has ``n`` points of some 147 bytes; for any other, a file
``<run>.metrics`` in the directory is the answer), and serves the service's own answers (``/answers/<name>``, taken from
files) to the proxy that it is compared with.
"""

from __future__ import annotations

import json
import re
import socket
import sys
import threading
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

_BEGAN = datetime(2026, 3, 29)  # noqa: DTZ001 - written as UTC below
META = {
    "runtimeIdentifier": "bench",
    "runtimeApiVersion": "2.21.0",
    "aiApi": {"version": "2.18.0", "capabilities": {"multitenant": True}},
    "extensions": {"metrics": {"version": "1.0.0", "capabilities": {"extendedResults": True}}},
}


def point(number: int) -> str:
    """One point, as a runtime writes it: one a second, with a label."""
    moment = _BEGAN + timedelta(seconds=number, microseconds=number * 7919 % 1_000_000)
    return (
        f'{{"name":"loss","value":{1 / (number + 1.37)!r},"timestamp":"{moment.isoformat(timespec="microseconds")}Z",'
        f'"step":{number},"labels":[{{"name":"group","value":"tree-{number % 90}"}}]}}'
    )


@cache
def metrics(run_id: str) -> bytes:
    """The answer of ``GET /lm/metrics`` for one run."""
    points = ",".join(map(point, range(int(run_id.removeprefix("run-")))))
    return (
        f'{{"count":1,"resources":[{{"executionId":"{run_id}","createdAt":"2026-03-29T00:58:13Z",'
        f'"modifiedAt":"2026-03-29T01:03:40Z","metrics":[{points}],"tags":[],"customInfo":[]}}]}}'
    ).encode()


def answer(path: str, answers: Path) -> tuple[bytes, str]:
    """The body for a path, and further header lines."""
    asked = re.search(r"executionIds=([^&]*)", path)
    if asked:
        body = answers / f"{asked[1]}.metrics"
        return body.read_bytes() if body.exists() else metrics(asked[1]), ""
    if path.endswith("/lm/meta"):
        return json.dumps(META).encode(), ""
    name = path.rsplit("/", 1)[1]
    if path.startswith("/answers/"):
        coding = "Content-Encoding: gzip\r\n" if name.endswith(".gz") else ""
        return (answers / name).read_bytes(), f"Cache-Control: max-age=3600\r\n{coding}"
    execution = {"id": name, "configurationId": "c", "status": "COMPLETED"}
    return json.dumps(execution | dict.fromkeys(("createdAt", "modifiedAt"), "2026-03-29T00:58:13Z")).encode(), ""


def _serve(connection: socket.socket, answers: Path) -> None:
    with connection, connection.makefile("rb") as requests:
        while line := requests.readline():
            while requests.readline() not in {b"\r\n", b""}:
                pass
            body, more = answer(line.split()[1].decode(), answers)
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
    main(int(sys.argv[1]), [int(size) for size in sys.argv[2].split(",")], Path(sys.argv[3]))
