"""What all tests share."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from testing.effort import effort
from tests.servers.browser import running_browser

if TYPE_CHECKING:
    from playwright.sync_api import Browser

sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
"""Over a hundred processes are started, and compiling the service takes three times as long as loading it."""

settings.register_profile("untimed", deadline=None, max_examples=effort(15, 100))
"""How long an example takes depends on what else the machine does: speed belongs in the benchmark."""
settings.load_profile("untimed")


def pytest_xdist_auto_num_workers() -> int:
    """With ``-n auto``: much of the time of a test is waiting, for a process to start or a freshness to end."""
    return len(os.sched_getaffinity(0)) + 2


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One for all tests of a process: playwright allows no second."""
    with running_browser() as browser:
        yield browser
