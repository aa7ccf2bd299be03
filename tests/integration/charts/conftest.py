"""The process that draws, one for all tests of a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from service.charts.rendering import Renderer


@pytest.fixture(scope="module")
def renderer() -> Iterator[Renderer]:
    made = Renderer(seconds=60)
    yield made
    made.close()
