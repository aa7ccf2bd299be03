"""One target, round after round, until its time is over."""

from __future__ import annotations

import time
import traceback

from hypothesis import HealthCheck, given, settings

from tests.fuzz.targets import TARGETS

A_ROUND = 500
"""Examples; after each round the clock is looked at."""


def fuzz(name: str, seconds: float) -> tuple[str, int, str]:
    """The target's name, how many examples it was tried with, and how it failed if it did."""
    target, tried, ends = TARGETS[name], 0, time.monotonic() + seconds

    def check(drawn: object) -> None:
        nonlocal tried
        if time.monotonic() < ends:
            tried += 1
            target.check(drawn)

    thorough = settings(max_examples=A_ROUND, deadline=None, suppress_health_check=list(HealthCheck), print_blob=False)
    run = thorough(given(target.inputs)(check))
    try:
        while time.monotonic() < ends:
            run()
    except BaseException:  # noqa: BLE001 - whatever it is, it is what was looked for
        return name, tried, traceback.format_exc()
    return name, tried, ""
