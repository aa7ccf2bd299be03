"""How workers share their metrics: by a directory in a variable of the metrics library, set before that is loaded."""

from __future__ import annotations

import os

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


def is_on() -> bool:
    """Whether metrics are shared. ``serve`` sets the variable, or removes it where it is empty."""
    return VARIABLE in os.environ
