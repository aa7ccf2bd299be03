"""How many examples a test tries: a sample, or all of them with ``THOROUGH=1``."""

from __future__ import annotations

import os
from typing import TypeVar

T = TypeVar("T")

THOROUGH = os.environ.get("THOROUGH", "") not in {"", "0"}
"""Set in the environment to try all examples."""


def effort(sample: T, thorough: T) -> T:
    """How many examples to try, or which."""
    return thorough if THOROUGH else sample
