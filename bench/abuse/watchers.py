"""Event streams of runs that log a point a second: what watchers cost other readers, and what opening many at once
costs; and how long small streams take to open while some of large runs are being opened.

Compare the watchers' p99 with that of the case ``clients: none``; memory is that of the cases that open streams.
"""

from __future__ import annotations

import selectors
import socket
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial

from bench.abuse.stage import Case, Stage
from bench.upstream import point

_WATCHERS, _OPENED = 100, 500
_PATIENCE = 60.0
_PAUSE = 0.02
_FIRST = 10
"""Points of a run when it is first watched."""
_EVERY = 1.0
"""Seconds between two points."""


def _log(stage: Stage, runs: Sequence[str], count: int) -> None:
    """Set each run's metrics to ``count`` points."""
    points = ",".join(map(point, range(count)))
    for run in runs:
        stage.runtime_says(
            run,
            f'{{"count":1,"resources":[{{"executionId":"{run}","metrics":[{points}],"tags":[],"customInfo":[]}}]}}'.encode(),
        )


class _Watchers:
    """A hundred watchers of ``runs``, connected before anything is measured."""

    def __init__(self, runs: Sequence[str]) -> None:
        self._runs = runs
        self._points: Counter[socket.socket] = Counter()

    def begin(self, stage: Stage) -> None:
        _log(stage, self._runs, _FIRST)
        for client in _connected(stage, self._runs, _WATCHERS):
            _take_first(client)
            self._points[client] = 0

    def watch(self, stage: Stage) -> None:
        """All read their streams. Raises ``RuntimeError`` where one gets no points that its run logs."""
        count = _FIRST
        began = time.monotonic()
        with ExitStack() as stack:
            poll = stack.enter_context(selectors.DefaultSelector())
            for client in self._points:
                stack.enter_context(client)
                poll.register(client, selectors.EVENT_READ)
            due = began + _EVERY
            while (now := time.monotonic()) < began + stage.seconds:
                if now >= due:
                    due, count = now + _EVERY, count + 1
                    _log(stage, self._runs, count)
                for key, _ in poll.select(max(due - now, 0)):
                    if not isinstance(key.fileobj, socket.socket):
                        continue
                    got = key.fileobj.recv(65536)
                    self._points[key.fileobj] += got.count(b'"step":')
                    if not got:
                        raise RuntimeError("a stream has ended")
        if not all(self._points.values()):
            raise RuntimeError("a watcher got no points")


def _open(stage: Stage, runs: Sequence[str]) -> None:
    """Open all streams at once, and wait until each has sent the run's present points."""
    began = time.monotonic()
    with ExitStack() as stack:
        for client in [stack.enter_context(client) for client in _connected(stage, runs, _OPENED)]:
            stage.answered.append((_take_first(client), time.monotonic() - began))


def _open_beside(stage: Stage, runs: Sequence[str]) -> None:
    """Open streams of large runs at once and, until all have sent points, one of a small run after the other."""
    with ExitStack() as stack:
        large = [stack.enter_context(client) for client in _connected(stage, runs, len(runs))]
        poll = stack.enter_context(selectors.DefaultSelector())
        for client in large:
            poll.register(client, selectors.EVENT_READ)
        opened = 0
        while poll.get_map():
            began = time.monotonic()
            (client,) = _connected(stage, [_HUNDRED[opened % len(_HUNDRED)]], 1)
            with client:
                stage.answered.append((_take_first(client), time.monotonic() - began))
            opened += 1
            for key, _ in poll.select(_PAUSE):
                if not isinstance(key.fileobj, socket.socket):
                    continue
                _take_first(key.fileobj)
                poll.unregister(key.fileobj)


def _connected(stage: Stage, runs: Sequence[str], count: int) -> list[socket.socket]:
    """Clients that have requested the events of one run each."""
    clients = []
    for number in range(count):
        client = socket.create_connection(("127.0.0.1", stage.port), timeout=_PATIENCE)
        clients.append(client)
        client.sendall(
            f"GET /runs/{runs[number % len(runs)]}/metric-resource/events HTTP/1.1\r\nHost: localhost\r\n"
            f"Authorization: Bearer {stage.token}\r\n\r\n".encode()
        )
    return clients


def _take_first(client: socket.socket) -> int:
    """The status of a stream that has sent points; raises ``RuntimeError`` where there is none."""
    got = b""
    while b'"step":' not in got:
        piece = client.recv(65536)
        if not piece:
            raise RuntimeError(f"a stream was not opened: {got[:200]!r}")
        got += piece
    return int(got[9:12])


def _watched(name: str, runs: Sequence[str]) -> Case:
    watchers = _Watchers(runs)
    return Case(f"watchers: {name}", watchers.watch, watchers.begin)


def _opened(name: str, runs: Sequence[str]) -> Case:
    return Case(f"watchers: {name}", partial(_open, runs=runs), partial(_log, runs=runs, count=_FIRST))


_ONE, _HUNDRED = ["live-0"], [f"live-{number}" for number in range(_WATCHERS)]
_LARGE = [f"run-{1_000_000 + number}" for number in range(4)]


def _store_large(stage: Stage) -> None:
    _log(stage, _HUNDRED, _FIRST)
    for run in _LARGE:
        stage.ask_well(f"/runs/{run}/tags")


CASES = (
    _watched("100 of one run", _ONE),
    _watched("one each of 100 runs", _HUNDRED),
    _opened("500 of one run at once", _ONE),
    _opened("500 of 100 runs at once", _HUNDRED),
    Case("watchers: small ones beside four of a million points", partial(_open_beside, runs=_LARGE), _store_large),
)
