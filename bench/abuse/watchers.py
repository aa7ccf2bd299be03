"""Event streams of runs that log a point a second: what those who watch cost those who read.

Compare the reads' p99 with that of the case ``clients: none``; memory is that of all watchers together.
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

_WATCHERS = 100
_FIRST = 10
"""Points that a run has when it is first watched."""
_EVERY = 1.0
"""Seconds between two points."""


def _log(stage: Stage, runs: Sequence[str], count: int) -> None:
    """Have each run have ``count`` points."""
    points = ",".join(map(point, range(count)))
    for run in runs:
        stage.runtime_says(
            run,
            f'{{"count":1,"resources":[{{"executionId":"{run}","metrics":[{points}],"tags":[],"customInfo":[]}}]}}'.encode(),
        )


def _watch(stage: Stage, runs: Sequence[str]) -> None:
    """All read what they are sent. Raises ``RuntimeError`` where one is given nothing of what its run logs."""
    count = _FIRST
    text: Counter[socket.socket] = Counter()
    began = time.monotonic()
    with ExitStack() as stack:
        poll = stack.enter_context(selectors.DefaultSelector())
        for number in range(_WATCHERS):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", stage.port)))
            run = runs[number % len(runs)]
            client.sendall(
                f"GET /runs/{run}/metric-resource/events HTTP/1.1\r\nHost: localhost\r\n"
                f"Authorization: Bearer {stage.token}\r\n\r\n".encode()
            )
            client.setblocking(False)
            poll.register(client, selectors.EVENT_READ)
        due = began + _EVERY
        while (now := time.monotonic()) < began + stage.seconds:
            if now >= due:
                due, count = now + _EVERY, count + 1
                _log(stage, runs, count)
            for key, _ in poll.select(max(due - now, 0)):
                if not isinstance(key.fileobj, socket.socket):
                    continue
                got = key.fileobj.recv(65536)
                if key.fileobj not in text:
                    stage.answered.append((int(got[9:12]), now - began))
                text[key.fileobj] += got.count(b'"step":')
                if not got:
                    raise RuntimeError("a stream has ended")
    if len(text) < _WATCHERS or min(text.values()) <= _FIRST:
        raise RuntimeError(f"of {count} points, a watcher was given {min(text.values(), default=0)}")


def _case(name: str, runs: Sequence[str]) -> Case:
    return Case(f"watchers: {name}", partial(_watch, runs=runs), partial(_log, runs=runs, count=_FIRST))


CASES = (
    _case("100 of one run", ["live-0"]),
    _case("one each of 100 runs", [f"live-{number}" for number in range(_WATCHERS)]),
)
