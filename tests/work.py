"""Work counted instead of timed: calls, and for what cannot be counted a process that may use only so much."""

from __future__ import annotations

import resource
import subprocess
import sys
import tracemalloc
from collections.abc import Callable

MEBIBYTE = 1024 * 1024


def calls(task: Callable[[], object]) -> int:
    """How many functions, Python's and C's, are called while ``task`` runs."""
    count = 0

    def note(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        task()
    finally:
        sys.setprofile(before)
    return count


def memory(task: Callable[[], object]) -> int:
    """The most bytes that Python's allocator held at once for ``task``."""
    tracemalloc.start()
    try:
        task()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def run_within(code: str, *, cpu_seconds: int = 20, mebibytes: int = 2048) -> str:
    """What Python code prints in a process of its own, which is killed where it needs more than that.

    For work inside C code, which no counter sees: what is linear needs a thousandth of it, what is quadratic far more.
    """

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds))
        resource.setrlimit(resource.RLIMIT_AS, (mebibytes * MEBIBYTE,) * 2)

    done = subprocess.run(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, preexec_fn=limit, check=False, text=True
    )
    assert done.returncode == 0, f"it ended with {done.returncode} after {done.stdout[-500:]!r}"
    return done.stdout
