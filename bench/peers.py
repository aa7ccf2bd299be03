"""The peers beside bare gunicorn: nginx's cache, and MLflow's tracking server."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import urllib.request
from dataclasses import dataclass
from typing import Any

from bench import upstream
from bench.world import World, until_answers
from service.demo import mlflow_server
from testing.ports import free_port

_NGINX = """
daemon off; {user} worker_processes 1; pid {directory}/nginx.pid; error_log {directory}/nginx.log;
events {{ worker_connections 256; }}
http {{
  access_log off; keepalive_requests 100000000;
  client_body_temp_path {directory}/t1; proxy_temp_path {directory}/t2; fastcgi_temp_path {directory}/t3;
  uwsgi_temp_path {directory}/t4; scgi_temp_path {directory}/t5;
  proxy_cache_path {directory}/cache keys_zone=c:1m;
  server {{
    listen 127.0.0.1:{port};
    {tuning}
    location / {{ proxy_pass {upstream}; proxy_cache c; proxy_cache_valid 200 1h; }}
  }}
}}
"""
TUNING = "sendfile off; output_buffers 2 512k;"


class Skipped(Exception):
    """A peer that cannot be installed here, and why."""


def nginx(world: World, name: str, tuning: str) -> str:
    """nginx in front of the service's own answers: its base URL."""
    binary = shutil.which("nginx") or _installed("nginx")
    directory = world.directory / name
    directory.mkdir()
    port = free_port()
    configuration = directory / "nginx.conf"
    user = "user root;" if hasattr(os, "geteuid") and os.geteuid() == 0 else ""  # the directory is this user's alone
    configuration.write_text(
        _NGINX.format(directory=directory, port=port, tuning=tuning, upstream=world.runtime, user=user)
    )
    world.start(name, [binary, "-c", str(configuration), "-p", str(directory)], port, core=world.server_core)
    return f"http://127.0.0.1:{port}/answers"


def find_wrk(*, install: bool) -> str | None:
    """The path of ``wrk``, which is installed where ``install`` says so and that is possible."""
    found = shutil.which("wrk")
    if found or not install:
        return found
    try:
        return _installed("wrk")
    except Skipped:
        return None


@dataclass(frozen=True, slots=True)
class MLflow:
    """A tracking server with finished runs; ``runs`` by the number of points of their one metric. ``many`` has ``KEYS``
    metrics of 1000 points each."""

    base: str
    process: int
    runs: dict[int, str]
    many: str

    def history(self, run_id: str, key: str = "loss") -> str:
        """The URL of a metric's whole history."""
        return f"{self.base}/api/2.0/mlflow/metrics/get-history?run_id={run_id}&metric_key={key}"


_WORKERS = 4
KEYS = tuple(f"loss{number}" for number in range(20))


def mlflow(world: World, sizes: list[int]) -> MLflow:
    """MLflow's tracking server with its default number of workers, on all cores, and a run for each size.

    Raises ``Skipped`` where it cannot be installed.
    """
    home = mlflow_server.cache_directory() / "mlflow-3"
    try:
        python = mlflow_server.install(home, mlflow_server.NEWEST)
    except (OSError, subprocess.CalledProcessError) as error:
        raise Skipped(f"MLflow could not be installed: {type(error).__name__}") from None
    port, data = free_port(), world.directory / "mlflow"
    data.mkdir()
    base = f"http://127.0.0.1:{port}"
    command = mlflow_server.command(python, data, port, "--workers", str(_WORKERS))
    quiet = mlflow_server.environment({})
    process = world.start("mlflow", command, port, core=None, on_all_cores=True, environment=quiet)
    until_answers(f"{base}/health")
    runs = {size: _logged(base, {"loss": size}) for size in sizes}
    return MLflow(base, process, runs, _logged(base, dict.fromkeys(KEYS, 1000)))


def _logged(base: str, sizes: dict[str, int]) -> str:
    run: dict[str, Any] = _post(base, "runs/create", {"experiment_id": "0", "start_time": 0})["run"]
    run_id: str = run["info"]["run_id"]
    for key, size in sizes.items():
        for begin in range(0, size, 1000):
            points = [json.loads(upstream.point(number)) for number in range(begin, min(begin + 1000, size))]
            metrics = [
                {"key": key, "value": point["value"], "timestamp": (1 + point["step"]) * 1000, "step": point["step"]}
                for point in points
            ]
            _post(base, "runs/log-batch", {"run_id": run_id, "metrics": metrics})
    _post(base, "runs/update", {"run_id": run_id, "status": "FINISHED", "end_time": 1})
    return run_id


def _post(base: str, path: str, document: dict[str, Any]) -> Any:
    request = urllib.request.Request(
        f"{base}/api/2.0/mlflow/{path}", json.dumps(document).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=120) as answer:
        return json.load(answer)


def _installed(package: str) -> str:
    """Install one of Debian's packages, as root."""
    apt = shutil.which("apt-get")
    if apt is None or not hasattr(os, "geteuid") or os.geteuid() != 0:
        raise Skipped(f"{package} is not installed (on Debian: apt-get install {package})")
    debian = {"nginx": "nginx-light"}.get(package, package)
    for command in ([apt, "update", "-q"], [apt, "install", "-qy", "--no-install-recommends", debian]):
        subprocess.run(command, capture_output=True, check=False, timeout=300)
    found = shutil.which(package)
    if found is None:
        raise Skipped(f"{package} could not be installed")
    return found
