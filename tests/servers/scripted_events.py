"""A service as ``metric-resource watch`` sees it: each request gets the next answer of a script."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = tuple[int, dict[str, str], bytes]


def event(kind: str, number: int, data: dict[str, Any]) -> bytes:
    return f"id: {number}\nevent: {kind}\ndata: {json.dumps(data)}\n\n".encode()


def point(step: int, value: object, name: str = "Loss", **labels: str) -> dict[str, Any]:
    found = [{"name": label, "value": text} for label, text in labels.items()]
    return {"name": name, "value": value, "timestamp": "2026-03-29T03:00:00+02:00", "step": step, "labels": found}


def points(number: int, *metrics: dict[str, Any]) -> bytes:
    return event("points", number, {"metrics": list(metrics)})


def stream(*events: bytes) -> Answer:
    return 200, {"Content-Type": "text/event-stream"}, b":\n\n".join(events)


def refusal(status: int, title: str, **headers: str) -> Answer:
    body = json.dumps({"title": title, "status": status, "detail": "so it is"}).encode()
    return status, {"Content-Type": "application/problem+json", **headers}, body


class ScriptedEvents:
    """``requests`` are the path and the headers of each."""

    def __init__(self, *answers: Answer) -> None:
        self.requests: list[tuple[str, dict[str, str]]] = []
        script = iter(answers)
        requests = self.requests

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                requests.append((self.path, dict(self.headers)))
                status, headers, body = next(script)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@contextlib.contextmanager
def scripted_events(*answers: Answer) -> Iterator[ScriptedEvents]:
    made = ScriptedEvents(*answers)
    thread = threading.Thread(target=made.server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield made
    finally:
        made.server.shutdown()
        made.server.server_close()
        thread.join()
