"""Load on one URL: ``wrk`` where it is installed, otherwise a small generator of our own."""

from __future__ import annotations

import http.client
import re
import shutil
import statistics
import subprocess
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

_UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3}


@dataclass(frozen=True, slots=True)
class Load:
    """The figures of one load: requests a second, latencies in ms, failed requests."""

    rate: float
    p50: float
    p99: float
    failed: int


def apply(url: str, headers: Mapping[str, str], *, connections: int, seconds: float, core: int | None) -> Load:
    """Send ``GET`` requests over ``connections`` connections for ``seconds`` seconds, from ``core``."""
    wrk = shutil.which("wrk")
    if wrk is None:
        return _by_ourselves(url, headers, connections, seconds)
    command = [wrk, "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--latency", "--timeout", "20s"]
    for name, value in headers.items():
        command += ["-H", f"{name}: {value}"]
    pinned = ["taskset", "-c", str(core)] if core is not None and shutil.which("taskset") else []
    done = subprocess.run([*pinned, *command, url], capture_output=True, text=True, check=True, timeout=seconds + 60)
    return _read(done.stdout)


def _read(output: str) -> Load:
    rate = re.search(r"Requests/sec:\s+([\d.]+)", output)
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", output)
    errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", output)
    assert rate is not None, output
    broken = sum(map(int, errors.groups())) if errors else 0
    return Load(
        float(rate[1]), _percentile(output, 50), _percentile(output, 99), int(failed[1] if failed else 0) + broken
    )


def _percentile(output: str, percent: int) -> float:
    found = re.search(rf"{percent}%\s+([\d.]+)(us|ms|s)", output)
    return float(found[1]) * _UNITS[found[2]] if found else float("nan")


def _by_ourselves(url: str, headers: Mapping[str, str], connections: int, seconds: float) -> Load:
    parts = urlsplit(url)
    assert parts.hostname is not None
    host, port = parts.hostname, parts.port
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    ends = time.perf_counter() + seconds
    took: list[float] = []
    failed: list[int] = []

    def ask() -> None:
        connection = http.client.HTTPConnection(host, port, timeout=20)
        while time.perf_counter() < ends:
            began = time.perf_counter()
            connection.request("GET", target, headers=dict(headers))
            answer = connection.getresponse()
            answer.read()
            took.append((time.perf_counter() - began) * 1000)
            if answer.status >= 400:
                failed.append(answer.status)
        connection.close()

    threads = [threading.Thread(target=ask) for _ in range(min(connections, 8))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    cuts = statistics.quantiles(took, n=100) if len(took) > 1 else took * 99
    return Load(len(took) / seconds, cuts[49], cuts[98], len(failed))
