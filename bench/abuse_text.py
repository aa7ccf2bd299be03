"""Text that callers and loggers choose to cost as much as it can: how long one request of each takes.

Each case is a name, the runtime's answer that it needs, and one request. Run ``python -m bench.abuse_text`` for the
cases alone: one worker, the time of the request, and the slowest ``/livez`` meanwhile.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from service.sandbox.app import parts_of
from service.sandbox.issuer import Issuer
from service.sandbox.server import Options, running
from tests.servers.scripted_runtime import POINT, scripted_runtime
from tests.servers.service_hosts import ServiceHost, serving

RUN = "run-abuse"
RESOURCE = f"/runs/{RUN}/metric-resource"
PATIENCE = 120.0
_NAMES = "&".join(f"name=x{number}" for number in range(800))
_HASHED_ALIKE = 2**61 - 1
"""What Python's hashes of numbers are remainders of."""


@dataclass(frozen=True)
class Case:
    """``said`` is what the runtime answers about metrics; ``path`` and ``headers`` are the request."""

    name: str
    said: Callable[[], bytes]
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)


def _resource(**members: object) -> bytes:
    return json.dumps({"resources": [{"executionId": RUN, **members}]}).encode()


def _custom_info() -> bytes:
    value = '"\\' * 100_000
    return _resource(metrics=[POINT], customInfo=[{"name": "n", "value": value}])


def _bare_number_before_open_strings() -> bytes:
    return b'{"resources":[NaN' + b'"\\' * 32_000


def _runs_nobody_asked_for() -> bytes:
    return json.dumps({"resources": [{"executionId": f"r{n}", "metrics": [POINT]} for n in range(10_000)]}).encode()


def _one_long_fraction() -> bytes:
    long = {**POINT, "timestamp": f"2026-03-29T01:00:00.{'1' * 100_000}Z"}
    return _resource(metrics=[long, *[POINT] * 1500])


def _steps_hashed_alike() -> bytes:
    return _resource(metrics=[{**POINT, "step": n * _HASHED_ALIKE} for n in range(1, 20_000)])


def _labelled() -> bytes:
    points = [{**POINT, "labels": [{"name": "l", "value": str(n)}]} for n in range(20_000)]
    return _resource(metrics=points)


def _many_names() -> bytes:
    return _resource(metrics=[{**POINT, "name": f"n{n}"} for n in range(5000)])


CASES = [
    Case("custom info of open strings, 200 kB, parsed", _custom_info, f"/runs/{RUN}/custom-info?parse=true"),
    Case("an answer of open strings behind NaN, 64 kB", _bare_number_before_open_strings, RESOURCE),
    Case("10,000 runs nobody asked for, 1 MB", _runs_nobody_asked_for, RESOURCE),
    Case("one fraction of 100,000 digits among 1500 points", _one_long_fraction, RESOURCE),
    Case("the same, as series", _one_long_fraction, f"{RESOURCE}/series"),
    Case("20,000 steps whose hashes are alike, as series", _steps_hashed_alike, f"{RESOURCE}/series?points=2"),
    Case("a label of 7,500 colons", _labelled, f"{RESOURCE}?label={':' * 7500}"),
    Case("a label asked for 1,000 times, of 20,000 points", _labelled, f"{RESOURCE}?limit=1{'&label=l' * 1000}"),
    Case("800 names of 5,000 series, as a chart", _many_names, f"{RESOURCE}/chart?{_NAMES}"),
    Case("1,600 unknown parameters", _labelled, f"{RESOURCE}?{'&'.join(f'a{n:x}' for n in range(1600))}"),
    Case("media types, 32 kB", _labelled, RESOURCE, {"Accept": ",".join(["a/b"] * 8000)}),
    Case("codings, 32 kB", _labelled, RESOURCE, {"Accept-Encoding": ",".join(["x;q"] * 8000)}),
    Case("entity tags, 32 kB", _labelled, RESOURCE, {"If-None-Match": '"a",' * 8000}),
    Case("directives, 32 kB", _labelled, RESOURCE, {"Cache-Control": 'a="b,' * 6000}),
]  # fmt: skip


def measured(host: ServiceHost, case: Case) -> tuple[int, float, float]:
    """The request's status and seconds, and the seconds of the slowest ``/livez`` meanwhile."""
    over, slowest = threading.Event(), 0.0

    def look() -> None:
        nonlocal slowest
        while not over.wait(0.02):
            slowest = max(slowest, host.get("/livez", patience=PATIENCE).seconds)

    looking = threading.Thread(target=look)
    looking.start()
    time.sleep(0.1)
    answer = host.get(case.path, patience=PATIENCE, **{**case.headers, "Connection": "close"})
    over.set()
    looking.join()
    return answer.status, answer.seconds, slowest


def main() -> None:
    print("| case | status | s | slowest /livez, s |\n|---|---|---|---|")
    for case in CASES:
        with ExitStack() as stack:
            directory = Path(stack.enter_context(TemporaryDirectory(prefix="bench-")))
            issuer = stack.enter_context(running(Options(directory / "issuer")))
            url = str(parts_of(issuer).public_url)
            runtime = stack.enter_context(scripted_runtime())
            runtime.say("metrics", 200, case.said())
            environment = {
                "AICORE_BASE_URL": runtime.url,
                "RUNTIME_AUTH": "none",
                "JWT_ISSUER": url,
                "JWT_AUDIENCE": "metric-resource",
                "WEB_CONCURRENCY": "1",
            }
            token = Issuer.at(directory / "issuer", url).mint(roles=["scenario_metric_viewer"])
            host = stack.enter_context(serving(directory / "host", environment, token))
            status, seconds, slowest = measured(host, case)
            print(f"| {case.name} | {status} | {seconds:.2f} | {slowest:.2f} |", flush=True)


if __name__ == "__main__":
    main()
