"""Clients that are slow, silent or do not leave, each of them within the protocol."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial

from bench.abuse.stage import Case, Stage, at_once

_MANY, _READERS, _GIANT_READERS = 300, 600, 100
_FOUR_MB, _GIANT = "/runs/run-24000/metric-resource", "/runs/run-1000000/metric-resource"
_PACE = 1.0
"""Seconds between two pieces of a slow client."""


@contextmanager
def _connected(stage: Stage, count: int, first: Callable[[Stage], bytes]) -> Iterator[list[socket.socket]]:
    """``count`` connections on which ``first`` was sent; none of them reads, and their buffers are minimal."""
    with ExitStack() as stack:
        connections = []
        for _ in range(count):
            client = stack.enter_context(socket.socket())
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.setblocking(False)
            with suppress(BlockingIOError):
                client.connect(("127.0.0.1", stage.port))
            connections.append(client)
        time.sleep(0.5)
        for client in connections:
            with suppress(OSError):  # a service that takes no more connections is what is measured
                client.send(first(stage))
        yield connections


def _stay(stage: Stage, first: Callable[[Stage], bytes], count: int = _MANY) -> None:
    with _connected(stage, count, first):
        time.sleep(stage.seconds)


def _drip(stage: Stage, first: Callable[[Stage], bytes], drip: bytes) -> None:
    with _connected(stage, _MANY, first) as clients:
        ends = time.monotonic() + stage.seconds
        while time.monotonic() < ends:
            for client in clients:
                with suppress(OSError):
                    client.send(drip)
            time.sleep(_PACE)


def _half_open(stage: Stage) -> None:
    _drip(stage, lambda _: b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX-Slow: ", b"a")


def _silent(stage: Stage) -> None:
    _stay(stage, lambda _: b"")


def _lingering(stage: Stage) -> None:
    """Answered with ``Connection: close``, they do not close their side."""
    _stay(stage, lambda s: _head(s, "/runs/run-10/metric-resource", "Connection: close\r\n"))


def _dripping_bodies(stage: Stage) -> None:
    _drip(stage, lambda s: _head(s, "/runs/run-10/metric-resource", "Content-Length: 900\r\n"), b"a")


def _mixed(stage: Stage) -> None:
    at_once(*(partial(abuse, stage) for abuse in (_half_open, _silent, _lingering, _dripping_bodies, _readers)))


def _readers(stage: Stage) -> None:
    _stay(stage, lambda s: _head(s, _FOUR_MB), _READERS)


def _slow_readers(stage: Stage) -> None:
    """They read, at some 4 kB a second."""
    with _connected(stage, _READERS, lambda s: _head(s, _FOUR_MB)) as clients:
        ends = time.monotonic() + stage.seconds
        while time.monotonic() < ends:
            for client in clients:
                with suppress(OSError):
                    client.recv(4096)
            time.sleep(_PACE)


def _giant_readers(stage: Stage) -> None:
    _stay(stage, lambda s: _head(s, _GIANT), _GIANT_READERS)


def _head(stage: Stage, path: str, more: str = "") -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {stage.token}\r\n{more}\r\n".encode()


def _case(name: str, abuse: Callable[[Stage], None], *reads: str) -> Case:
    def prepare(stage: Stage) -> None:
        for path in reads:
            stage.ask_well(path)

    return Case(f"clients: {name}", abuse, prepare, reads)


CASES = (
    _case("none", lambda stage: time.sleep(stage.seconds)),
    _case("300 half-open", _half_open),
    _case("300 silent", _silent),
    _case("300 lingering", _lingering),
    _case("300 dripping bodies", _dripping_bodies),
    _case("600 that do not read 4 MB", _readers, _FOUR_MB),
    _case("600 that read 4 MB slowly", _slow_readers, _FOUR_MB),
    _case("100 that do not read 167 MB", _giant_readers, _GIANT),
    _case("all of these at once", _mixed, _FOUR_MB),
)
