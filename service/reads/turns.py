"""Work in the background that takes turns: each working thread competes with the server's loop for the interpreter's
lock."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress

from service.concurrency.blocking import waiting

TURN = 0.05
"""Seconds of a turn. A step that takes longer waits for a slow runtime, and then others go on beside it."""


class Turns:
    """Begins steps one after another, each on a thread of its pool, and gives each a turn. Thread-safe."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="feeds-turns")

    def take(self, pool: ThreadPoolExecutor, step: Callable[[], None]) -> None:
        """Have ``step`` run by ``pool`` in its turn. Raises ``RuntimeError`` after ``stop``."""
        self._thread.submit(self._run, pool, step)

    def stop(self) -> None:
        """Begin no further step."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _run(self, pool: ThreadPoolExecutor, step: Callable[[], None]) -> None:
        begun = submitted(pool, step)
        if begun is not None:
            with waiting():
                wait((begun,), TURN)


def submitted(pool: ThreadPoolExecutor, step: Callable[[], None]) -> Future[None] | None:
    """The step's outcome; ``None`` where the pool has been shut down."""
    with suppress(RuntimeError):
        return pool.submit(step)
    return None
