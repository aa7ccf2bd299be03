"""What ``metric-resource serve`` loads: the wheel carries the sandbox, a token issuer for trying things; it stays out."""

from __future__ import annotations

import re

from tests.integration.processes.conftest import NewHost


def test_serve_never_loads_the_sandbox(new_host: NewHost) -> None:
    host = new_host(PYTHONVERBOSE="1", WEB_CONCURRENCY="1")
    for path in ("/runs/run1/metric-resource", "/runs/run1/metric-resource/chart", "/runs", "/capabilities", "/docs"):
        assert host.get(path).status in {200, 406, 502}  # this runtime lists no runs; charts may be missing
    assert host.get("/openapi.json").status == 200
    host.stop()
    log = (host.directory / "log").read_text()
    loaded = set(re.findall(r"^import '([\w.]+)' #", log, re.MULTILINE))
    assert {"service.cli.serve", "service.app", "service.app.flask_app"} <= loaded
    assert not {name for name in loaded if re.match(r"service\.(sandbox|cli\.(demo|token|running_demo))", name)}
    traces = (
        "opentelemetry.exporter",
        "service.telemetry.tracing",
    )  # redis-py loads what else there is of it by itself
    assert not {name for name in loaded if name.startswith(traces)}
