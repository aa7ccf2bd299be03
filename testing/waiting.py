"""Waiting for other threads and processes."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable

import redis

PATIENCE = 60.0
"""Seconds after which a condition counts as failed; a passing test never waits for them."""
_SHORTEST, _LONGEST = 0.01, 0.1


def eventually(condition: Callable[[], object], patience: float = PATIENCE) -> None:
    """Return once ``condition`` holds; ``AssertionError`` after ``patience`` seconds.

    A refused connection means: not yet.
    """
    began = time.monotonic()
    while (waited := time.monotonic() - began) < patience:
        with contextlib.suppress(redis.RedisError, OSError):
            if condition():
                return
        time.sleep(min(_LONGEST, max(_SHORTEST, waited / 20)))  # looking takes time of what is waited for
    raise AssertionError(f"it did not come about within {patience:g} seconds")
