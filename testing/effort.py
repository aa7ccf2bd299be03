"""How much is tried where more examples only give more confidence: a sample in ``make test``, all of it in CI."""

from __future__ import annotations

import os

THOROUGH = os.environ.get("THOROUGH", "") not in {"", "0"}
"""Set in the environment where the time for it is there."""


def effort(sample: int, thorough: int) -> int:
    """How many examples to try."""
    return thorough if THOROUGH else sample
