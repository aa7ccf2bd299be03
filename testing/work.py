"""Work counted instead of timed: calls, lines, memory, and a process with limits for what cannot be counted."""

from __future__ import annotations

import contextlib
import gc
import resource
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

MEBIBYTE = 1024 * 1024


@contextlib.contextmanager
def _no_collection() -> Iterator[None]:
    """The garbage collector runs callbacks of others, of hypothesis for one, which are not the task's work."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def calls(task: Callable[[], object]) -> int:
    """How many functions, Python's and C's, are called while ``task`` runs."""
    count = 0

    def note(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    before = sys.getprofile()
    with _no_collection():
        sys.setprofile(note)
        try:
            task()
        finally:
            sys.setprofile(before)
    return count


def lines(task: Callable[[], object]) -> int:
    """How many lines of the service are run while ``task`` runs."""
    count = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal count
        if "/service/" not in frame.f_code.co_filename:
            return None
        count += event == "line"
        return trace

    before = sys.gettrace()
    with _no_collection():
        sys.settrace(trace)
        try:
            task()
        finally:
            sys.settrace(before)
    return count


def memory(task: Callable[[], object]) -> int:
    """The peak of bytes that Python's allocator held for ``task``."""
    tracemalloc.start()
    try:
        task()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def run_within(code: str, *, cpu_seconds: int = 20, mebibytes: int = 2048) -> str:
    """The output of Python code in a process of its own, which is killed where it needs more than the limits.

    For work inside C code, which cannot be counted: linear work needs a thousandth of the limits, quadratic far more.
    """

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds))
        resource.setrlimit(resource.RLIMIT_AS, (mebibytes * MEBIBYTE,) * 2)

    done = subprocess.run(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, preexec_fn=limit, check=False, text=True
    )
    assert done.returncode == 0, f"it ended with {done.returncode} after {done.stdout[-500:]!r}"
    return done.stdout
