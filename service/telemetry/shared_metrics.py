"""How workers share their metrics: by a directory in a variable of the metrics library, set before that is loaded."""

from __future__ import annotations

import os
from pathlib import Path

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


def directory() -> Path | None:
    """Where the metrics of all workers are; ``None`` where they are not shared. ``serve`` sets the variable, or removes
    it where it is empty."""
    named = os.environ.get(VARIABLE)
    return None if named is None else Path(named)
