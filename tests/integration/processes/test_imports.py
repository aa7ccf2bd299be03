"""What ``metric-resource serve`` loads, and what only once somebody asks for it."""

from __future__ import annotations

import re
from pathlib import Path

from tests.integration.processes.conftest import NewHost

_FIRST_USED_LATER = {
    "asyncio",  # by the Redis client
    "redis",  # configured: REDIS_URL
    "opentelemetry",  # configured: OTEL_…
    "flask_smorest",  # /openapi.json
    "apispec",
    "webargs",
    "yaml",
    "pyarrow",  # format=parquet, format=arrow
    "vl_convert",  # pictures, in a process of their own
}


def test_serve_loads_what_it_uses_when_it_uses_it(new_host: NewHost, tmp_path: Path) -> None:
    shared = tmp_path / "metrics"
    host = new_host(PYTHONVERBOSE="1", WEB_CONCURRENCY="1", PROMETHEUS_MULTIPROC_DIR=str(shared))
    for _ in range(2):
        assert host.get("/runs/run1/metric-resource").status == 200
    assert [*shared.glob("counter_*.db")], "the metrics library was loaded when it was known how metrics are shared"
    loaded = _loaded(host.directory / "log")
    assert {"service.cli.serve", "service.app", "service.app.flask_app"} <= loaded
    assert not {name.partition(".")[0] for name in loaded} & _FIRST_USED_LATER
    assert _of_its_own(host.workers()[0]) < 0.43
    for path in ("/runs/run1/metric-resource/chart", "/runs", "/capabilities", "/docs"):
        assert host.get(path).status in {200, 406, 502}  # this runtime lists no runs; charts may be missing
    assert host.get("/openapi.json").status == 200
    host.stop()
    loaded = _loaded(host.directory / "log")
    # the wheel carries the sandbox, a token issuer for trying things: it stays out
    assert not {name for name in loaded if re.match(r"service\.(sandbox|cli\.(demo|token|running_demo))", name)}
    assert not {name for name in loaded if name.startswith(("opentelemetry", "service.telemetry.tracing"))}


def _of_its_own(worker: int) -> float:
    """What a worker shares with no other process, of all that it has resident."""
    lines = Path(f"/proc/{worker}/smaps_rollup").read_text().splitlines()[1:]
    kilobytes = {line.split(":")[0]: int(line.split()[1]) for line in lines}
    return kilobytes["Private_Dirty"] / kilobytes["Rss"]


def _loaded(log: Path) -> set[str]:
    return set(re.findall(r"^import '([\w.]+)' #", log.read_text(), re.MULTILINE))
