"""A collector: takes spans by OTLP over HTTP (protobuf) and keeps them.

``python -m tests.servers.otlp PORT NAME...`` waits for a trace that has spans of all these names, and prints it.
"""

from __future__ import annotations

import gzip
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from testing.waiting import eventually


@dataclass(frozen=True)
class ReceivedSpan:
    """Ids are in hexadecimal digits; ``parent`` is empty for the first span of a trace; ``resource`` is who sent it."""

    name: str
    kind: int
    trace: str
    id: str
    parent: str
    failed: bool
    attributes: Mapping[str, Any]
    resource: Mapping[str, Any]
    began: int
    ended: int


class Collector:
    """``bodies`` are the requests as they came, for who looks for what must not be in them."""

    def __init__(self) -> None:
        self.url = ""
        self.bodies: list[bytes] = []
        self.spans: list[ReceivedSpan] = []

    def take(self, body: bytes) -> None:
        self.bodies.append(body)
        for group in ExportTraceServiceRequest.FromString(body).resource_spans:
            resource = _plain(group.resource.attributes)
            self.spans += [_received(span, resource) for scope in group.scope_spans for span in scope.spans]

    def trace(self, trace: str) -> list[ReceivedSpan]:
        """The spans of a trace so far, in the order in which they began."""
        return sorted((span for span in tuple(self.spans) if span.trace == trace), key=lambda span: span.began)

    def whole(self, trace: str, *names: str) -> list[ReceivedSpan]:
        """The spans of a trace once those of these ``names`` have come."""
        eventually(lambda: set(names) <= {span.name for span in self.trace(trace)})
        return self.trace(trace)

    def has(self, *names: str) -> str | None:
        """A trace that has spans of all these ``names``."""
        traces = {span.trace for span in tuple(self.spans)}
        return next((one for one in traces if set(names) <= {span.name for span in self.trace(one)}), None)


def tree(spans: list[ReceivedSpan]) -> Iterator[str]:
    """The spans of a trace, a line for each: when it began and how long it took (ms), below the one it is part of."""
    ids, first = {span.id for span in spans}, min(span.began for span in spans)

    def below(parent: str, depth: int) -> Iterator[str]:
        for span in spans:
            if span.parent == parent or (not depth and span.parent not in ids):
                name = "  " * depth + span.name
                began, took = (span.began - first) / 1e6, (span.ended - span.began) / 1e6
                attributes = " ".join(f"{key}={value}" for key, value in sorted(span.attributes.items()))
                yield f"{name:36} {began:7.1f} {took:7.1f}  {attributes}"
                yield from below(span.id, depth + 1)

    return below("", 0)


def _plain(attributes: Any) -> dict[str, Any]:
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in attributes}


def _received(span: Any, resource: Mapping[str, Any]) -> ReceivedSpan:
    return ReceivedSpan(
        span.name,
        span.kind,
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        span.status.code == Status.STATUS_CODE_ERROR,
        _plain(span.attributes),
        resource,
        span.start_time_unix_nano,
        span.end_time_unix_nano,
    )


@contextmanager
def collecting(port: int = 0) -> Iterator[Collector]:
    """A collector on 127.0.0.1; on any free port where none is given."""
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # head and body are sent apart: the second waits 40 ms for the acknowledgement

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            taken = self.path == "/v1/traces" and self.headers["Content-Type"] == "application/x-protobuf"
            if taken:
                collector.take(gzip.decompress(body) if self.headers["Content-Encoding"] == "gzip" else body)
            answer = ExportTraceServiceResponse().SerializeToString()
            self.send_response(200 if taken else 400)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    collector.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield collector
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def main(port: int, names: list[str]) -> None:
    with collecting(port) as collector:
        eventually(lambda: collector.has(*names), patience=120)
        for line in tree(collector.trace(collector.has(*names) or "")):
            print(line)  # noqa: T201 - a command


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
