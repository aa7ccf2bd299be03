"""The cost of traces for a warm read: processor time of a worker without traces, and of workers that sample none.

The difference is small, a few µs of some 200, on a machine that others keep busy. So the workers take turns, a few
hundred requests each, and the medians of many turns are compared, by the kernel's own count of nanoseconds. A worker
that slept before each request would pay for cold caches, so requests are sent by the batch.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from io import BufferedReader
from pathlib import Path
from urllib.parse import urlsplit

from bench.results import Results
from bench.world import World, worker_of

_PATH = "/runs/run-10/metric-resource"
_REQUESTS, _BATCH = 400, 20
_TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-"
_OTLP = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}
_WORKERS: dict[str, tuple[Mapping[str, str], str]] = {
    "no traces": ({}, "00"),
    "traces, caller samples none": (_OTLP, "00"),
    "traces, sampler always_off": ({**_OTLP, "OTEL_TRACES_SAMPLER": "always_off"}, "01"),
    "traces, sampler ratio 0.0001": (
        {**_OTLP, "OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.0001"},
        "01",
    ),
}
"""The environment of each worker, and the flags of its caller's ``traceparent``."""


def measure(world: World, redis: str | None, results: Results, *, turns: int) -> None:
    """One turn of each worker after the other, ``turns`` times."""
    clients = {}
    for name, (environment, flags) in _WORKERS.items():
        base, master, _ = world.service(name, redis, workers=1, on_all_cores=False, **environment)
        clients[name] = _Client(base, world.token, flags, worker_of(master))
        clients[name].ask(2 * _REQUESTS)
    for _ in range(turns):
        for name, client in clients.items():
            results.times.setdefault(f"processor, {name}", []).append(client.spent(_REQUESTS))


class _Client:
    """Asks one worker, one request after the other."""

    def __init__(self, base: str, token: str, flags: str, worker: int) -> None:
        parts = urlsplit(base)
        self._address = parts.hostname or "", parts.port or 80
        self._worker = worker
        self._request = (
            f"GET {_PATH} HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: Bearer {token}\r\n"
            f"traceparent: {_TRACEPARENT}{flags}\r\n\r\n"
        ).encode()

    def spent(self, count: int) -> float:
        """Milliseconds of the worker's processor time for each of ``count`` requests."""
        before = _processor_seconds(self._worker)
        self.ask(count)
        return (_processor_seconds(self._worker) - before) * 1000 / count

    def ask(self, count: int) -> None:
        """Over a new connection: an idle one would be closed during the turns of the others on a busy machine."""
        with socket.create_connection(self._address, timeout=60) as connection, connection.makefile("rb") as answers:
            for _ in range(count // _BATCH):
                connection.sendall(self._request * _BATCH)
                for _ in range(_BATCH):
                    _skip_answer(answers)


def _skip_answer(answers: BufferedReader) -> None:
    status, length = answers.readline(), 0
    assert status.startswith(b"HTTP/1.1 200 "), status
    while (line := answers.readline()) != b"\r\n":
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    assert len(answers.read(length)) == length > 0


def _processor_seconds(process: int) -> float:
    """Linux: of each thread, to the nanosecond (``schedstat``); where a kernel counts none, ``utime`` and ``stime``."""
    spent = [int(file.read_text().split()[0]) for file in Path(f"/proc/{process}/task").glob("*/schedstat")]
    if any(spent):
        return sum(spent) / 1e9
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
