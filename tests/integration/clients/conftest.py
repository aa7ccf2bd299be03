"""The demo, and clients that others' tools make of the committed OpenAPI document."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.servers.demo import Demo

LARGE = "b96e0d38-42fa-4c75-96ab-0e7d13f58c15"
FIRST = "5b0f6d52-3a57-4c0e-9d0b-6f1f4f2b8a11"
SECOND = "8c2e91d4-7f10-4b6a-a5c3-2d9b7e604c12"
PATIENCE = 600
"""Seconds that a generator, or a compiler, may take."""


@pytest.fixture(scope="session")
def demo(demo: Demo) -> Mapping[str, str]:
    """The demo that all tests have, as variables for a client's environment."""
    return {
        "SERVICE": demo.ready["service"],
        "TOKEN": demo.ready["token"],
        "RUNS": ",".join((LARGE, FIRST, SECOND)),
    }


@pytest.fixture
def workshop(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A directory outside the tree with the client's own sources, which are beside the test by ``request.param``."""
    directory = tmp_path / "workshop"
    shutil.copytree(Path(__file__).parent / request.param, directory, ignore=shutil.ignore_patterns("node_modules"))
    return directory


def run(command: Sequence[str], directory: Path, environment: Mapping[str, str] | None = None) -> str:
    """What a command prints; it must succeed and say nothing of errors."""
    ended = subprocess.run(
        command,
        check=False,
        cwd=directory,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert ended.returncode == 0, f"{' '.join(command)}: {ended.stdout[-3000:]} {ended.stderr[-3000:]}"
    return ended.stdout
