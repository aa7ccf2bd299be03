"""``metric-resource demo`` as a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from testing.waiting import eventually

COMMAND = [sys.executable, "-P", "-c", "from service.cli import main; raise SystemExit(main())"]


_START_GUARD, _END_GUARD = 300.0, 60.0
"""Seconds; longer than the demo itself waits for its parts."""


class Demo:
    """A demo under way."""

    def __init__(self, directory: Path, *options: str) -> None:
        self.temporary = directory / "tmp"
        self.temporary.mkdir()
        elsewhere = directory / "elsewhere"
        elsewhere.mkdir()
        for name in ("json", "pandas", "vl_convert"):  # which no process of the demo must take for the module
            (elsewhere / f"{name}.py").write_text("raise SystemExit('a file of the working directory was imported')")
        self.ready_file = directory / "ready.json"
        self.environment = {**os.environ, "TMPDIR": str(self.temporary)}
        self.environment.pop("XDG_RUNTIME_DIR", None)  # so that its note lies there, too
        self.process = subprocess.Popen(
            [*COMMAND, "demo", "--ready-file", str(self.ready_file), *options],
            env=self.environment,
            cwd=elsewhere,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            eventually(lambda: self.ready_file.exists() or self.process.poll() is not None, _START_GUARD)
            self.ready = json.loads(self.ready_file.read_text())
        except (AssertionError, OSError):
            raise AssertionError(f"the demo did not start: {self.end()}") from None

    def children(self) -> list[int]:
        found = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(self.process.pid)], capture_output=True, text=True, check=True
        )
        return [int(pid) for pid in found.stdout.split()]

    def read(self, run: str, **headers: str) -> requests.Response:
        return self.get(f"/runs/{run}/metric-resource", **headers)

    def get(self, path: str, **headers: str) -> requests.Response:
        authorization = {"Authorization": f"Bearer {self.ready['token']}"}
        return requests.get(self.ready["service"] + path, headers={**authorization, **headers}, timeout=90)

    def end(self, number: int = signal.SIGTERM) -> str:
        if self.process.poll() is None:
            self.process.send_signal(number)
        output, _ = self.process.communicate(timeout=_END_GUARD)
        return output


@contextmanager
def ended(demo: Demo) -> Iterator[Demo]:
    """The demo, ended with the context."""
    try:
        yield demo
    finally:
        if demo.process.poll() is None:
            demo.end()
        assert demo.process.stdout is not None
        demo.process.stdout.close()
