"""No pattern of the service goes over the same text again and again, whoever wrote it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
@pytest.mark.parametrize("more", [pytest.param((), id="tokens"), pytest.param(("--pairs",), id="pairs")])
def test_every_pattern_takes_time_in_proportion_to_the_text(more: tuple[str, ...]) -> None:
    """In a process of its own: only a signal gets an expression that runs away out of the interpreter's clock."""
    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", "tests.patterns", *more]
    done = subprocess.run(command, cwd=root, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 0, done.stderr[-500:]
