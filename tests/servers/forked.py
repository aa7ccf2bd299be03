"""``metric-resource`` as a process of its own, forked from one that has loaded all of it.

Loading it took most of the time of a test. The metrics library looks at the environment as it is loaded; here it does so
at the first metric. That ``serve`` loads it when the environment says how metrics are shared, ``test_imports`` holds in an
interpreter of its own.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from service.cli import main
from testing.waiting import PATIENCE

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(
    [
        "gunicorn.arbiter",
        "service.app",
        "service.auth.issuer_keys",
        "service.caching.redis.cache",
        "service.cli.serve",
        "tsdownsample",
    ]
)


class Forked:
    """The command ``metric-resource`` with these arguments, with ``subprocess.Popen``'s members that are used here.

    ``output`` and ``errors`` are the files that it writes to, which may be one.
    """

    def __init__(
        self, arguments: Sequence[str], environment: Mapping[str, str], output: Path, errors: Path | None = None
    ) -> None:
        self._arguments = arguments
        given = ([*arguments], {**environment}, output, errors or output)
        self._process = _CONTEXT.Process(target=_run, args=given, daemon=True)
        self._process.start()

    @property
    def pid(self) -> int | None:
        return self._process.pid

    def kill(self) -> None:
        self._process.kill()

    def wait(self, timeout: float) -> int:
        self._process.join(timeout)
        status = self._process.exitcode
        if status is None:
            raise subprocess.TimeoutExpired(["metric-resource", *self._arguments], timeout)
        return status


def run(arguments: Sequence[str], environment: Mapping[str, str], directory: Path) -> subprocess.CompletedProcess[str]:
    """Run a command until it ends by itself; ``directory`` is where its output goes meanwhile."""
    output, errors = directory / "output", directory / "errors"
    for file in (output, errors):
        file.unlink(missing_ok=True)
    process = Forked(arguments, environment, output, errors)
    try:
        status = process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    return subprocess.CompletedProcess([*arguments], status, output.read_text(), errors.read_text())


def _run(arguments: list[str], environment: dict[str, str], output: Path, errors: Path) -> None:
    os.setsid()
    os.environ.clear()
    os.environ.update(environment)
    for number, path in ((1, output), (2, errors)):
        with path.open("ab") as file:
            os.dup2(file.fileno(), number)
    _choose_at_the_first_metric()
    sys.argv = ["metric-resource", *arguments]
    sys.exit(main(arguments))


def _choose_at_the_first_metric() -> None:
    """Have the metrics library choose then how values are kept, by the environment of that moment."""
    from prometheus_client import values

    chosen = cache(values.get_value_class)

    def value(*given: Any, **named: Any) -> Any:
        return chosen()(*given, **named)

    values.ValueClass = value
