"""An application that is closed leaves nothing behind: no thread, and no connection."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from service.app import close, create_app
from service.settings import AuthSettings, CacheSettings, RuntimeAuth, RuntimeSettings, Settings
from testing.waiting import PATIENCE, eventually
from tests.integration.service.conftest import RUN, Surroundings


def sockets() -> set[str]:
    """Of this process: both ends of connections to servers on its threads, one of those to others."""
    found = set()
    for descriptor in Path("/proc/self/fd").iterdir():
        try:
            found.add(str(descriptor.readlink()))
        except FileNotFoundError:
            continue  # closed meanwhile, as that of this listing
    return {name for name in found if name.startswith("socket:")}


def threads_and_sockets() -> set[object]:
    return {*threading.enumerate(), *sockets()}


@pytest.fixture
def before(surroundings: Surroundings) -> set[object]:
    """Also what other tests have left behind."""
    return threads_and_sockets()


def nothing_is_left(before: set[object]) -> bool:
    return threads_and_sockets() <= before


def test_what_has_read_leaves_nothing(before: set[object], surroundings: Surroundings) -> None:
    with surroundings.service() as service:
        for path in (RUN, f"{RUN}/series", "/readyz"):
            assert service.get(path).status_code == 200
        assert not nothing_is_left(before)
    eventually(lambda: nothing_is_left(before))


def test_what_is_closed_in_the_midst_of_a_read_leaves_nothing(before: set[object], surroundings: Surroundings) -> None:
    asked, goes_on = threading.Event(), threading.Event()
    answer = surroundings.runtime.answer

    def held(path: str, headers: object = None) -> tuple[int, bytes, float]:
        asked.set()
        assert goes_on.wait(PATIENCE)
        return answer(path)

    surroundings.runtime.answer = held  # type: ignore[method-assign]
    app = create_app(
        Settings(
            RuntimeSettings(surroundings.runtime.url, auth=RuntimeAuth.NONE),
            AuthSettings(issuers=(surroundings.issuer.url,), audiences=("metric-resource",)),
            CacheSettings(redis_url=surroundings.valkey.url),
        )
    )
    try:
        assert asked.wait(PATIENCE), "the runtime is looked at from the start"
    finally:
        close(app)
    goes_on.set()
    eventually(lambda: nothing_is_left(before))
