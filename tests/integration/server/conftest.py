"""The server's loop in this process: real sockets, threads and parsers, limits as small as a test wants them."""

from __future__ import annotations

import importlib.util
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from gunicorn.config import Config
from gunicorn.http.message import Request
from gunicorn.http.unreader import IterUnreader

from service.server.connection import Connection, State
from service.server.exchange import Exchanges
from service.server.limits import Limits
from service.server.loop import Loop
from service.server.messages import PlainRequest
from service.server.threads import RequestThreads
from testing.waiting import eventually
from tests.servers.plain_application import Application
from tests.servers.raw_http import Client

PARSERS = ["python", *(["fast"] if importlib.util.find_spec("gunicorn_h1c") else [])]
THREADS, MOST_SENDING = 2, 8


class Server:
    """A loop on a thread of its own. ``application`` answers; two threads work."""

    def __init__(self, limits: Limits, parser: str) -> None:
        self.limits = limits
        self.application = Application()
        self.config = Config()
        self.config.set("http_parser", parser)
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = int(self.listener.getsockname()[1])
        self.threads = RequestThreads(THREADS, 8, MOST_SENDING)
        self.loop = Loop([self.listener], self._parse, self._serve, limits)
        self.exchanges = Exchanges(
            self.application, self.loop, self.config, limits, has_answers_at_hand=self.application.has_answers_at_hand
        )
        self._over = threading.Event()
        self.resume()

    def pause(self) -> None:
        """Stop the loop's thread, so that the test's own may have the loop take its turns."""
        self._over.set()
        self.loop.call(lambda: None)
        self._thread.join()

    def resume(self) -> None:
        """Have the loop's thread go on."""
        self._over.clear()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def states(self) -> list[State]:
        return [connection.state for connection in tuple(self.loop.connections)]

    def until(self, state: State, count: int) -> None:
        """Return once exactly ``count`` connections are in ``state``."""
        eventually(lambda: self.states().count(state) == count)

    def close(self) -> None:
        self.application.release.set()
        self.pause()
        self.loop.close()
        self.threads.shutdown()
        self.listener.close()

    def _run(self) -> None:
        while not self._over.is_set():
            self.loop.turn(0.05)

    def _parse(self, connection: Connection, head: bytes) -> Request:
        return PlainRequest(self.config, IterUnreader((head,)), connection.peer, connection.requests)

    def _serve(self, connection: Connection, request: Request) -> None:
        self.exchanges.start(connection, request, self.threads)


NewServer = Callable[..., Server]
NewClient = Callable[..., Client]


@pytest.fixture(params=PARSERS)
def parser(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@contextmanager
def running(parser: str = PARSERS[-1], **limits: float) -> Iterator[Server]:
    server = Server(Limits(**limits), parser)  # type: ignore[arg-type]
    try:
        yield server
    finally:
        server.close()


@pytest.fixture
def new_server() -> Iterator[NewServer]:
    """Starts a server; keyword arguments are its limits."""
    with ExitStack() as stack:
        yield lambda **limits: stack.enter_context(running(**limits))


@pytest.fixture
def new_client() -> Iterator[NewClient]:
    """Connects a client, closed afterwards."""
    with ExitStack() as stack:
        yield lambda server, **more: stack.enter_context(Client(server.port, **more))


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())
