"""What all tests share."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from testing.effort import effort
from tests.processor_time import ProcessorTime
from tests.servers.browser import running_browser
from tests.servers.demo import Demo, ended
from tests.servers.mlflow import MLflowURL, real_servers

if TYPE_CHECKING:
    from playwright.sync_api import Browser

sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
"""Over a hundred processes are started, and compiling the service takes three times as long as loading it."""

settings.register_profile("untimed", deadline=None, max_examples=effort(15, 100))
"""How long an example takes depends on what else the machine does: speed belongs in the benchmark."""
settings.load_profile("untimed")


_SHARED = ("demo", "browser", "mlflow_url", "renderer")
"""What takes seconds to start and is shared by the tests of a process. The longest first."""


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(ProcessorTime())


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """What is imported and collected is no garbage: the garbage collector does not look at it, then or later."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """With ``-n auto``: part of the time of a test is waiting, for a process to start or a freshness to end; less of it
    where journeys are among them, each with a browser and a demo to itself."""
    return len(os.sched_getaffinity(0)) + (2 if "not slow" in config.option.markexpr else 1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests that share something costly one behind the other, at the beginning.

    So few processes start it, and what takes longest does not come last, when the others have nothing left to do.
    """

    def place(item: pytest.Item) -> int:
        needed = getattr(item, "fixturenames", ())
        if "service" in needed:  # few of these draw, though a renderer is there for all
            needed = [name for name in needed if name != "renderer"]
        return next((number for number, name in enumerate(_SHARED) if name in needed), len(_SHARED))

    items.sort(key=place)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One for all tests of a process: playwright allows no second."""
    with running_browser() as browser:
        yield browser


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """One for all tests of a process; a test that makes its runtime fail heals it again."""
    with ended(Demo(tmp_path_factory.mktemp("demo"))) as demo:
        yield demo


@pytest.fixture(scope="session")
def mlflow_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MLflowURL]:
    """Real MLflow servers, shared by all processes of the session."""
    own = tmp_path_factory.getbasetemp()
    with real_servers(own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) as url:
        yield url
