"""The circuit breaker of a cache server, which distinguishes a server that refuses from one that is down."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from service.concurrency.circuit_breaker import CircuitBreaker, CircuitOpen, State, Tolerance
from service.domain.errors import CacheUnavailable

_log = logging.getLogger("service.caching")
TOLERANCE = Tolerance(failures=2, patience=0.0, cooldown=1.0, longest=5.0, promptly=0.0)


class ServerCircuit:
    """``enter`` before each operation and, with what that returned, ``worked``, ``refused``, ``failed`` or
    ``abandoned`` after it.

    Every change of state is logged: ``up``, ``down``, and ``refusing`` for a server that is up but refuses operations
    (full, read-only, not permitted), which leaves the circuit closed. Thread-safe.
    """

    def __init__(self, server: str, tolerance: Tolerance, clock: Callable[[], float] = time.monotonic) -> None:
        self._server = server
        self._longest = tolerance.longest
        self._clock = clock
        self._breaker = CircuitBreaker(tolerance, self._changed, clock)
        self._is_down = False
        self._lock = threading.Lock()
        self._refusal = ""
        self._refused_at = 0.0

    def enter(self) -> bool:
        """Whether this operation probes a server that was down. Raises ``CacheUnavailable`` while the circuit is
        open."""
        try:
            return self._breaker.enter()
        except CircuitOpen:
            raise CacheUnavailable("circuit breaker open: the cache server is failing") from None

    def worked(self, *, probe: bool, wrote: bool = False) -> None:
        """The operation succeeded. Only a write shows that a server no longer refuses, and only after a while: one that
        is nearly full accepts some writes and refuses others."""
        if not self._breaker.succeeded(probe=probe) or not (wrote and self._refusal):
            return
        with self._lock:
            if self._refusal and self._clock() >= self._refused_at + self._longest:
                self._refusal = ""
                self._say(logging.INFO, "up", "it accepts writes again")

    def refused(self, reason: str, *, probe: bool) -> None:
        """The server answered, and refused the operation."""
        if not self._breaker.succeeded(probe=probe):
            return
        with self._lock:
            self._refused_at = self._clock()
            if not self._refusal:
                self._refusal = reason
                self._say(logging.WARNING, "refusing", reason)

    def failed(self, reason: str, *, probe: bool) -> None:
        """The server did not answer, or its answer was invalid."""
        self._breaker.failed(reason, probe=probe)

    def abandoned(self, *, probe: bool) -> None:
        """The operation was abandoned, which says nothing about the server."""
        self._breaker.abandoned(probe=probe)

    def _changed(self, state: State, reason: str) -> None:
        """Log a new state, but not each failed probe."""
        if state is State.OPEN and not self._is_down:
            self._is_down = True
            self._say(logging.WARNING, "down", reason)
        elif state is State.CLOSED:
            self._is_down = False
            self._say(logging.INFO, "up", reason)

    def _say(self, level: int, state: str, reason: str) -> None:
        extra = {"event": "cache-server", "state": state, "server": self._server, "reason": reason}
        _log.log(level, "cache server %s is %s: %s", self._server, state, reason, extra=extra)
