"""gunicorn's worker: the loop, the threads, and their shutdown."""

from __future__ import annotations

import os
import resource
import sys
import time
from contextlib import suppress
from typing import Any

from gunicorn.http.errors import LimitRequestHeaders
from gunicorn.http.message import Request
from gunicorn.http.unreader import IterUnreader
from gunicorn.workers.base import Worker as GunicornWorker
from msgspec.structs import replace

from service.memory.allocator import FreedMemory, configure_allocator
from service.memory.garbage import collect, put_off_full_collections
from service.server.connection import Connection
from service.server.exchange import Exchanges
from service.server.limits import Limits
from service.server.loop import Loop
from service.server.messages import PlainRequest
from service.server.threads import RequestThreads

MOST_WAITING = 256
"""Requests of a worker that may wait for the runtime at once; further ones are refused."""
_MOST_SENDING = 256
"""Streamed answers of a worker whose threads may wait for clients at once; further ones are cut off."""
_PROBES = ("/livez", "/readyz", "/metrics")
_PROBES_WAITING = 8
_STREAMS = "/metric-resource/events"
"""The end of the paths of event streams. These are opened one by one: threads that share the interpreter's lock would
open no two of them sooner, and a crowd of them must not delay other requests."""
_FILES = 256
"""File descriptors reserved for other things than connections of clients."""
_TURN = 1.0
_SWITCH_SECONDS = 0.001
"""The interpreter's switch interval. A small request releases the interpreter's lock some ten times, so that beside two
long computations Python's default of 5 ms would delay it by 100 ms."""


class Worker(GunicornWorker):
    """A process that serves, within ``limits``. Each path of the platform's probes (``_PROBES``) has a thread of its
    own, so that it is answered when all others are busy. ``has_answers_at_hand``: see ``Exchanges``."""

    limits = Limits()
    has_answers_at_hand = False

    def init_process(self) -> None:
        configure_allocator()
        self._freed = FreedMemory()
        sys.setswitchinterval(_SWITCH_SECONDS)
        self._notified = 0.0
        self._threads = RequestThreads(self.cfg.threads, MOST_WAITING, _MOST_SENDING)
        root = os.environ.get("SCRIPT_NAME", "")
        self._probes = {root + path: RequestThreads(1, _PROBES_WAITING, _PROBES_WAITING) for path in _PROBES}
        self.limits = replace(
            self.limits,
            connections=connections(self.cfg.worker_connections),
            keepalive_seconds=self.cfg.keepalive,
        )
        self._loop = Loop(self.sockets, self._parse, self._serve, self.limits)
        # A crowd is accepted and read first: that takes many waits for the interpreter's lock.
        self._openings = RequestThreads(1, MOST_WAITING, _MOST_SENDING, before_each=self._loop.crowd.let_in)
        super().init_process()

    def run(self) -> None:
        put_off_full_collections()
        loop = self._loop
        self._exchanges = Exchanges(
            self.wsgi, loop, self.cfg, self.limits, has_answers_at_hand=self.has_answers_at_hand
        )
        while self.alive:
            self._turn()
            if os.getppid() != self.ppid:
                self.log.info("Parent changed, shutting down: %s", self)
                break
        loop.stop()
        for listener in self.sockets:
            listener.close()
        ends = time.monotonic() + self.cfg.graceful_timeout
        while loop.connections and time.monotonic() < ends:
            self._turn()
        loop.close()
        for threads in (self._threads, self._openings, *self._probes.values()):
            threads.shutdown()

    def handle_exit(self, sig: int, frame: Any) -> None:
        """SIGTERM: no new connections; accepted requests are answered."""
        super().handle_exit(sig, frame)
        self._loop.call(_nothing)

    def _turn(self) -> None:
        now = time.monotonic()
        if now - self._notified >= _TURN:
            self._notified = now
            self.notify()
            self._freed.look()
            if self._threads.are_idle:
                collect()
        self._loop.turn(_TURN)

    def _parse(self, connection: Connection, head: bytes) -> Request:
        if head.count(b"\n") > self.cfg.limit_request_fields + 2:  # the parser in C does not apply this limit above 256
            raise LimitRequestHeaders("limit request headers fields")
        return PlainRequest(self.cfg, IterUnreader((head,)), connection.peer, connection.requests)

    def _serve(self, connection: Connection, request: Request) -> None:
        path = request.path or ""
        threads = self._openings if path.endswith(_STREAMS) else self._probes.get(path, self._threads)
        self._exchanges.start(connection, request, threads, may_be_at_hand=threads is self._threads)


def configured_worker(limits: Limits, *, has_answers_at_hand: bool = False) -> type[Worker]:
    """A worker class with ``limits``, since gunicorn makes the worker from its class alone."""
    return type("ConfiguredWorker", (Worker,), {"limits": limits, "has_answers_at_hand": has_answers_at_hand})


def connections(wanted: int) -> int:
    """The number of connections: ``wanted``, or fewer where the limit of file descriptors cannot be raised enough."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + _FILES
    if soft in {resource.RLIM_INFINITY, needed} or soft > needed:
        return wanted
    more = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (more, hard))
        soft = more
    return max(1, min(wanted, soft - _FILES))


def _nothing() -> None:
    """Does nothing: a step that only wakes the loop."""
