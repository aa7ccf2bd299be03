"""Slow clients against a bare gunicorn of the service: how long a healthy request takes meanwhile.

Run ``.venv/bin/python -m bench.slow_clients``; it starts everything it needs on 127.0.0.1 and ends it. Half-open
requests (slowloris) send a byte of a header now and then; slow readers ask for a large answer and do not read it.
"""

from __future__ import annotations

import socket
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from service.sandbox.app import parts_of
from service.sandbox.issuer import Issuer
from service.sandbox.server import Options, running
from tests.servers.scripted_runtime import POINT, scripted_runtime
from tests.servers.service_hosts import ServiceHost, serving

LARGE, SMALL = "/runs/run-large/metric-resource", "/runs/run-small/metric-resource"
POINTS = 100_000
COUNTS = (0, 100, 300)
SAMPLES = 20


def main() -> None:
    with ExitStack() as stack:
        host = _host(stack)
        print("| clients | half-open: median, worst (ms), failed | slow readers: median, worst (ms), failed |")
        print("|---|---|---|")
        for count in COUNTS:
            cells = [_measured(host, count, behave) for behave in (_half_open, _reads_nothing)]
            print(f"| {count} | {' | '.join(cells)} |", flush=True)


def _host(stack: ExitStack) -> ServiceHost:
    directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
    issuer = stack.enter_context(running(Options(directory / "issuer")))
    url = str(parts_of(issuer).public_url)
    runtime = stack.enter_context(scripted_runtime())
    resource = {"executionId": "run-large", "metrics": [POINT] * POINTS}
    environment = {
        "AICORE_BASE_URL": runtime.url,
        "RUNTIME_AUTH": "none",
        "JWT_ISSUER": url,
        "JWT_AUDIENCE": "metric-resource",
        "WEB_CONCURRENCY": "1",
        "CACHE_FRESH_RUNNING": "3600",
    }
    token = Issuer.at(directory / "issuer", url).mint(roles=["scenario_metric_viewer"])
    host = stack.enter_context(serving(directory / "host", environment, token))
    host.get(SMALL)
    runtime.say("metrics", 200, {"count": 1, "resources": [resource]})
    assert host.get(LARGE).status == 200
    return host


def _half_open(host: ServiceHost) -> bytes:
    return f"GET {SMALL} HTTP/1.1\r\nHost: localhost\r\nX-Slow: ".encode()


def _reads_nothing(host: ServiceHost) -> bytes:
    return f"GET {LARGE} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {host.token}\r\n\r\n".encode()


def _measured(host: ServiceHost, count: int, behave: Callable[[ServiceHost], bytes]) -> str:
    with ExitStack() as stack:
        for _ in range(count):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", host.port), 5))
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.sendall(behave(host))
        time.sleep(1)
        answers = [host.get(SMALL, patience=2) for _ in range(SAMPLES)]
    seconds = [answer.seconds * 1000 for answer in answers]
    failed = sum(answer.status != 200 for answer in answers)
    return f"{statistics.median(seconds):.0f}, {max(seconds):.0f}, {failed}"


if __name__ == "__main__":
    main()
