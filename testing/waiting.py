"""Waiting for other threads and processes."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable

import redis

PATIENCE = 60.0
"""Seconds after which a condition counts as failed; a passing test never waits for them."""
_PAUSE = 0.01


def eventually(condition: Callable[[], object], patience: float = PATIENCE) -> None:
    """Return once ``condition`` holds; ``AssertionError`` after ``patience`` seconds.

    A refused connection means: not yet.
    """
    ends = time.monotonic() + patience
    while time.monotonic() < ends:
        with contextlib.suppress(redis.RedisError, OSError):
            if condition():
                return
        time.sleep(_PAUSE)
    raise AssertionError(f"it did not come about within {patience:g} seconds")
