"""Vega, Vega-Lite and Vega-Embed as one script for browsers, bundled from the extra ``charts``.

Bundling takes seconds of one processor and some hundred megabytes, so a process of its own does it, once.
"""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version

from service.concurrency.blocking import waiting
from service.concurrency.single_flight import Memo, StillUnderWay
from service.domain.errors import Overloaded

_PACKAGE = "vl-convert-python"
_PROGRAM = "import sys, vl_convert; sys.stdout.buffer.write(vl_convert.javascript_bundle().encode())"
_COMMAND = (sys.executable, "-I", "-c", _PROGRAM)
_BUSY = "the script for charts is being bundled; try again"


class CannotBundle(Exception):
    """The process that makes the script has ended without one."""


class VegaBundle:
    """The script, bundled once per worker. Thread-safe."""

    def __init__(self, seconds: float = 60.0, command: tuple[str, ...] = _COMMAND, package: str = _PACKAGE) -> None:
        self._seconds = seconds
        self._command = command
        self._package = package
        self._made_once = Memo()

    @cached_property
    def version(self) -> str | None:
        """The version of the script's packages; ``None`` where the extra ``charts`` is not installed."""
        try:
            return version(self._package)
        except PackageNotFoundError:
            return None

    def script(self) -> bytes:
        """The script. Raises ``Overloaded`` where it is not ready in time, ``CannotBundle`` where bundling fails."""
        try:
            return self._made_once.get("script", self._made, self._seconds)
        except StillUnderWay as late:
            raise Overloaded(_BUSY) from late

    def _made(self) -> bytes:
        environment = {name: os.environ[name] for name in ("PATH", "LANG", "HOME", "TMPDIR") if name in os.environ}
        try:
            with waiting():
                done = subprocess.run(  # noqa: S603 - our own command
                    self._command, env=environment, capture_output=True, timeout=self._seconds, check=False
                )
        except subprocess.TimeoutExpired as error:
            raise Overloaded(_BUSY) from error
        if done.returncode or not done.stdout:
            raise CannotBundle(f"the script that draws charts could not be made: exit status {done.returncode}")
        return done.stdout
