"""What tests of several parts together share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from service.charts.rendering import Renderer


class LastingRenderer(Renderer):
    """Goes on when an application that draws with it is closed: a process that draws takes seconds to start."""

    def close(self) -> None:
        """It is ended with the session."""


@pytest.fixture(scope="session")
def renderer() -> Iterator[Renderer]:
    """The process that draws."""
    lasting = LastingRenderer(seconds=60)
    yield lasting
    Renderer.close(lasting)
