"""How much is tried where more examples only give more confidence: a sample, or all of it with ``THOROUGH=1``."""

from __future__ import annotations

import os
from typing import TypeVar

T = TypeVar("T")

THOROUGH = os.environ.get("THOROUGH", "") not in {"", "0"}
"""Set in the environment where the time for it is there."""


def effort(sample: T, thorough: T) -> T:
    """How many examples to try, or which."""
    return thorough if THOROUGH else sample
