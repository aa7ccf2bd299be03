"""The whole service as its users have it: ``metric-resource serve`` with gunicorn's workers, as processes of its own.

A host is forked (``forked``), but one whose environment is for the interpreter itself (``PYTHON…``) gets an interpreter of
its own.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from testing.ports import free_port
from testing.waiting import eventually
from tests.servers.forked import Forked

PATIENCE = 60.0
"""Seconds after which a request of a test counts as never answered."""
_TIMES_READY = 8
"""Answers in a row that say so, of whichever worker; one of two is left out by all of them in one of 128 cases."""


@dataclass(frozen=True)
class Answer:
    """``seconds`` is how long it took; ``status`` is 0 where the connection broke off."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float


class _Process(Protocol):
    @property
    def pid(self) -> int | None: ...
    def wait(self, timeout: float) -> int: ...


class ServiceHost:
    """One gunicorn. ``environment`` configures the service; the tests' own tokens open it."""

    def __init__(self, directory: Path, environment: Mapping[str, str], token: str) -> None:
        self.directory = directory
        self.port = free_port()
        self.token = token
        self._environment = dict(environment)
        self._process: _Process | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        assert self._process.pid is not None
        return self._process.pid

    def start(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        arguments = ["serve", "--bind", f"127.0.0.1:{self.port}"]
        clean = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG", "TMPDIR"}}
        environment = {**clean, **self._environment}
        if any(name.startswith("PYTHON") for name in environment):
            self._process = _interpreter(arguments, environment, self.directory / "log")
        else:
            self._process = Forked(arguments, environment, self.directory / "log")
        eventually(self._is_ready, PATIENCE)

    def stop(self) -> None:
        """End it and its workers at once."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            self._process.wait(PATIENCE)
            self._process = None

    def _is_ready(self) -> bool:
        """Whether its workers are, one of which answers: each has keys of its own to load."""
        asked = 1 if self._environment.get("WEB_CONCURRENCY") == "1" else _TIMES_READY
        return all(self.get("/readyz").status == 200 for _ in range(asked))

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def wait(self) -> int:
        """Wait until it has ended by itself; its exit status."""
        assert self._process is not None
        return self._process.wait(PATIENCE)

    def workers(self) -> list[int]:
        """The process ids of its workers."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children")
        return [int(pid) for pid in children.read_text().split()]

    def log(self) -> str:
        return (self.directory / "log").read_text(errors="replace")

    def get(self, path: str, *, patience: float = PATIENCE, **headers: str) -> Answer:
        """One request on a connection of its own, given up after ``patience`` seconds of silence."""
        given = {"Authorization": f"Bearer {self.token}"}
        given.update((name.replace("_", "-"), value) for name, value in headers.items())
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=patience)
        began = time.monotonic()
        with contextlib.closing(connection):
            try:
                connection.request("GET", path, headers=given)
                response = connection.getresponse()
                body = response.read()
            except (OSError, http.client.HTTPException) as error:
                return Answer(0, {}, repr(error).encode(), time.monotonic() - began)
            return Answer(response.status, dict(response.getheaders()), body, time.monotonic() - began)


def _interpreter(arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> subprocess.Popen[bytes]:
    entry = "from service.cli import main; raise SystemExit(main())"
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-c", entry, *arguments],
            env=environment,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


@contextlib.contextmanager
def serving(directory: Path, environment: Mapping[str, str], token: str) -> Iterator[ServiceHost]:
    """A host that is up, ended afterwards."""
    host = ServiceHost(directory, environment, token)
    try:
        host.start()
        yield host
    finally:
        host.stop()


@contextlib.contextmanager
def load(readers: int, task: Callable[[], Answer], pause: float = 0.04) -> Iterator[list[Answer]]:
    """``readers`` threads that do ``task`` over and over while the context lasts, ``pause`` seconds behind each answer,
    as other tests need the machine as well; all that they were answered."""
    answers: list[Answer] = []
    over = threading.Event()

    def read() -> None:
        while not over.is_set():
            answers.append(task())
            over.wait(pause)

    threads = [threading.Thread(target=read, daemon=True) for _ in range(readers)]
    for thread in threads:
        thread.start()
    try:
        yield answers
    finally:
        over.set()
        for thread in threads:
            thread.join(PATIENCE)
