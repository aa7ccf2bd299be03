"""A group of processes, started and ended together."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

_PATIENCE = 3.0
_PR_SET_PDEATHSIG = 1


class PartDied(Exception):
    """A process of the demo ended unexpectedly: its ``name``, and the end of its ``log``."""

    def __init__(self, name: str, log: str) -> None:
        super().__init__(f"{name} has ended")
        self.name = name
        self.log = log


class Processes:
    """Starts processes in groups of their own; leaving the context ends them all, in reverse order.

    They work in ``directory``, unless ``here``: in the caller's, a file such as ``json.py`` would be taken for the
    module.
    """

    def __init__(self, directory: Path, *, here: bool = False) -> None:
        self._directory = directory
        self._working = None if here else directory
        self._started: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Processes:
        return self

    def __exit__(self, *_: object) -> None:
        for process in reversed(self._started.values()):
            _signal(process, signal.SIGTERM)
            _signal(process, signal.SIGCONT)
        ends = time.monotonic() + _PATIENCE
        for process in self._started.values():
            try:
                process.wait(max(0.0, ends - time.monotonic()))
            except subprocess.TimeoutExpired:
                _signal(process, signal.SIGKILL)
                process.wait()
            _signal(process, signal.SIGKILL)

    def start(
        self, name: str, command: Sequence[str], environment: Mapping[str, str], descriptors: Sequence[int] = ()
    ) -> int:
        """Start ``command``, its output going to ``<name>.log``, with the file ``descriptors``; its process id."""
        with self.log(name).open("wb") as log:
            process = subprocess.Popen(
                command,
                env=dict(environment),
                cwd=self._working,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=descriptors,
                preexec_fn=_end_with_parent,  # noqa: PLW1509 - one system call, before any thread is started
            )
        self._started[name] = process
        return process.pid

    def check(self) -> None:
        """Raise ``PartDied`` if any process has ended."""
        for name, process in self._started.items():
            if process.poll() is not None:
                raise PartDied(name, self.log(name).read_text(errors="replace")[-2000:])

    def log(self, name: str) -> Path:
        return self._directory / f"{name}.log"


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    """Signal the process's whole group, which may outlive the process itself."""
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return


def _end_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
