"""An AI runtime that answers as a test says, counts what it is asked, and notes how."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TypeVar
from urllib.parse import parse_qs, urlsplit

from tests.servers.serving import served

META = {
    "runtimeIdentifier": "scripted",
    "runtimeApiVersion": "2.21.0",
    "aiApi": {"version": "2.18.0", "capabilities": {"multitenant": True}},
    "extensions": {"metrics": {"version": "1.0.0", "capabilities": {"extendedResults": True}}},
}
Runtime = TypeVar("Runtime", bound="ScriptedRuntime")
POINT = {"name": "loss", "value": 0.5, "timestamp": "2026-03-29T01:00:00.10Z", "step": 1}


class ScriptedRuntime:
    """``answers`` by what is asked (``meta``, ``metrics``, ``execution``, ``executions``, ``artifacts/<id>`` …): status, body, and seconds to wait first.

    ``headers`` are those of each request so far, ``documents`` what was posted, ``sends`` those that go with every answer.
    """

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.headers: list[dict[str, str]] = []
        self.documents: list[bytes] = []
        self.sends: dict[str, str] = {}
        self.answers: dict[str, tuple[int, bytes, float]] = {}
        self.slow: dict[str, float] = {}
        """Seconds to wait before anything is said of a run whose id begins so."""
        self.url = ""

    def say(self, what: str, status: int, body: object, wait: float = 0.0) -> None:
        self.answers[what] = (status, body if isinstance(body, bytes) else json.dumps(body).encode(), wait)

    def answer(self, path: str, headers: Mapping[str, str] | None = None) -> tuple[int, bytes, float]:
        parts = urlsplit(path)
        what = _asked(parts.path)
        self.asked[what] += 1
        if what in self.answers:
            return self.answers[what]
        waits = [wait for prefix, wait in self.slow.items() if f"/{prefix}" in path or f"={prefix}" in path]
        if what == "meta":
            return 200, json.dumps(META).encode(), 0.0
        if what not in {"execution", "metrics"}:
            return 404, json.dumps({"error": {"code": "1", "message": "there is no such thing"}}).encode(), 0.0
        if what == "execution":
            execution = {"id": parts.path.rsplit("/", 1)[1], "status": "RUNNING", "configurationId": "c"}
            return 200, json.dumps(execution).encode(), max(waits, default=0.0)
        runs = parse_qs(parts.query)["executionIds"][0].split(",")
        resources = [{"executionId": run, "metrics": [POINT]} for run in runs]
        return 200, json.dumps({"count": len(runs), "resources": resources}).encode(), max(waits, default=0.0)


class _Server(ThreadingHTTPServer):
    request_queue_size = 256


def _asked(path: str) -> str:
    """What a path asks for: ``executions`` is the list of them, ``executables/tree`` one executable."""
    parts = path.removeprefix("/v2/lm/").removeprefix("/v2/").split("/")
    if parts[0] == "executions" and parts[-1] == "logs":
        return "logs"
    known = {"meta": "meta", "metrics": "metrics", "executions": "executions" if len(parts) == 1 else "execution"}
    return known.get(parts[0], "/".join(parts[-2:]))


@contextmanager
def scripted_runtime() -> Iterator[ScriptedRuntime]:
    with serving(ScriptedRuntime()) as runtime:
        yield runtime


@contextmanager
def serving(runtime: Runtime) -> Iterator[Runtime]:

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # head and body are sent apart: the second waits 40 ms for the acknowledgement

        def do_GET(self) -> None:
            headers = {"path": self.path, **{name.lower(): value for name, value in self.headers.items()}}
            runtime.headers.append(headers)
            status, body, wait = runtime.answer(self.path, headers)
            time.sleep(wait)
            with suppress(BrokenPipeError, ConnectionResetError):
                self._send(status, body)

        def do_POST(self) -> None:
            runtime.documents.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.do_GET()

        def _send(self, status: int, body: bytes) -> None:
            self.send_response_only(status)
            self.send_header("Date", runtime.sends.get("Date", self.date_time_string()))
            self.send_header("Content-Type", "text/html" if body.startswith(b"<") else "application/json")
            self.send_header("Content-Length", str(len(body)))
            for name, value in runtime.sends.items():
                if name != "Date":
                    self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = _Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    runtime.url = f"http://127.0.0.1:{server.server_port}/v2"
    with served(server):
        yield runtime
