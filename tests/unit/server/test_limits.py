"""As many connections as there may be file descriptors, and more descriptors where they can be had."""

from __future__ import annotations

import resource
from collections.abc import Iterator

import pytest

from service.server.worker import connections


@pytest.fixture
def hard() -> Iterator[int]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_descriptors_are_asked_for_up_to_what_is_needed_or_allowed(hard: int) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (600, hard))
    assert connections(400) == 400
    assert connections(hard) == hard - 256
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard)
    assert connections(400) == 400
