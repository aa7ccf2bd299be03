from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future

import pytest

from service.concurrency.deadline import Deadline
from service.runtimes.transport import Answer, HttpTransport
from service.telemetry.prometheus import Telemetry
from tests.integration.transport.servers import HANG_GUARD, Reply, Script, Server, serving

MAX_BODY_BYTES = 8 * 1024 * 1024
Serve = Callable[[Script], Server]
Exchange = Callable[..., Answer]


@pytest.fixture
def telemetry() -> Telemetry:
    return Telemetry()


@pytest.fixture
def transport(telemetry: Telemetry) -> Iterator[HttpTransport]:
    made = HttpTransport(connect_timeout=2, max_body_bytes=MAX_BODY_BYTES, pool_size=4, telemetry=telemetry)
    yield made
    made.close()


@pytest.fixture
def serve(request: pytest.FixtureRequest) -> Iterator[Serve]:
    """Starts servers that end with the test, after the transport."""
    with contextlib.ExitStack() as servers:
        yield lambda script: servers.enter_context(serving(script))


@pytest.fixture
def exchange(serve: Serve, transport: HttpTransport) -> Exchange:
    """One exchange with a server that gives this reply; one that its deadline does not end fails."""

    def run(reply: Reply, *, seconds: float = 5.0, method: str = "GET") -> Answer:
        server = serve(lambda _: reply)
        ended: Future[Answer] = Future()

        def ask() -> None:
            try:
                ended.set_result(
                    transport.exchange(
                        method, f"{server.url}/x", headers={}, deadline=Deadline.after(seconds), operation="test"
                    )
                )
            except BaseException as error:  # noqa: BLE001 - it is what the test asks about
                ended.set_exception(error)

        threading.Thread(target=ask, daemon=True).start()
        return ended.result(HANG_GUARD)

    return run
