"""Packages of npm that tests use."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

_INSTALL = ("npm", "ci", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund")


def install(directory: Path, purpose: str) -> None:
    """Install what ``package-lock.json`` there names; skip the test without Node.js or a package registry."""
    for needed in ("node", "npm"):
        if shutil.which(needed) is None:
            pytest.skip(f"{purpose} needs {needed}, which is not on the PATH; CI has it")
    ended = subprocess.run(_INSTALL, check=False, cwd=directory, capture_output=True, text=True, timeout=180)
    if ended.returncode:
        pytest.skip(f"{purpose}: npm cannot install it: {ended.stderr.strip()[-300:]}")
