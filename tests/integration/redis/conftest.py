"""A server for each test, and caches on it that come back fast after trouble."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import pytest

from service.caching.redis.cache import RedisCache
from service.concurrency.circuit_breaker import Tolerance
from service.telemetry.prometheus import Telemetry
from tests.servers.valkey import ValkeyServer, running

PATIENT, BRIEF = 30.0, 0.5
"""Seconds to wait for servers that answer, or refuse connections, however busy this machine is; and for those that do not."""


class Connect(Protocol):
    def __call__(self, url: str, timeout: float = PATIENT) -> RedisCache: ...


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ValkeyServer]:
    with running(tmp_path / "valkey") as server:
        yield server


@pytest.fixture
def telemetry() -> Telemetry:
    return Telemetry()


@pytest.fixture
def connect(telemetry: Telemetry) -> Iterator[Connect]:
    """A cache on a URL, closed after the test. It tries a dead server again after a tenth of a second."""
    with ExitStack() as stack:

        def connect(url: str, timeout: float = PATIENT) -> RedisCache:
            cache = RedisCache(url, timeout=timeout, telemetry=telemetry, tolerance=Tolerance(2, 0, 0.1, 0.3, 0))
            stack.callback(cache.close)
            return cache

        yield connect


@pytest.fixture
def cache(server: ValkeyServer, connect: Connect) -> RedisCache:
    return connect(server.url)
