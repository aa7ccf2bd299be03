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

    _run_hooked(task, note, sys.getprofile, sys.setprofile)
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

    _run_hooked(task, trace, sys.gettrace, sys.settrace)
    return count


def _run_hooked(task: Callable[[], object], hook: Any, get: Callable[[], Any], set_: Callable[[Any], object]) -> None:
    """Run ``task`` with the interpreter's hook, and without garbage collection."""
    before = get()
    with _no_collection():
        set_(hook)
        try:
            task()
        finally:
            set_(before)


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
