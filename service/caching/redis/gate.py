"""Keeps requests from waiting for a server that is known to be gone, and finds out when it is back."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from service.domain.errors import CacheUnavailable

_log = logging.getLogger("service.caching")


@dataclass(frozen=True, slots=True)
class Cooldown:
    """``tolerance`` failures in a row shut the gate for ``first`` seconds, doubling up to ``longest``."""

    tolerance: int = 2
    first: float = 1.0
    longest: float = 5.0


class Gate:
    """Lets operations through to one server while it works, and one at a time, now and then, while it does not.

    The caller says ``enter`` before each operation and, with what that returned, one of ``worked``, ``refused``,
    ``failed`` or ``left`` after it. Every change of state is one line of the log: ``up``, ``down``, and ``refusing``
    for a server that lives and turns operations down (full, read-only, not permitted), which leaves the gate open.
    Safe from any thread.
    """

    def __init__(self, server: str, cooldown: Cooldown, clock: Callable[[], float] = time.monotonic) -> None:
        self._server = server
        self._cooldown = cooldown
        self._clock = clock
        self._mutex = threading.Lock()
        self._failures = 0
        self._pause = 0.0  # seconds; 0 while the gate is open
        self._shut_until = 0.0
        self._probing = False
        self._refusal = ""
        self._refused_at = 0.0

    def enter(self) -> bool:
        """Whether this operation is the one that tries a server that was down.

        Raises ``CacheUnavailable`` at once where the server is to be left alone.
        """
        with self._mutex:
            if not self._pause:
                return False
            if self._probing or self._clock() < self._shut_until:
                raise CacheUnavailable("circuit breaker open: the cache server is failing")
            self._probing = True
            return True

    def worked(self, *, probe: bool, wrote: bool = False) -> None:
        """The server did what was asked. Only a write shows that a server refuses no more, and only after a while:
        one that is just about full takes some and refuses some."""
        with self._mutex:
            if not self._told_by(probe):
                return
            self._open()
            if wrote and self._refusal and self._clock() >= self._refused_at + self._cooldown.longest:
                self._refusal = ""
                self._say(logging.INFO, "up", "it takes writes again")

    def refused(self, reason: str, *, probe: bool) -> None:
        """The server answered, and turned the operation down."""
        with self._mutex:
            if not self._told_by(probe):
                return
            self._open()
            self._refused_at = self._clock()
            if not self._refusal:
                self._refusal = reason
                self._say(logging.WARNING, "refusing", reason)

    def failed(self, reason: str, *, probe: bool) -> None:
        """The server did not answer, or answered nonsense."""
        with self._mutex:
            if not self._told_by(probe):
                return
            self._probing = False
            self._failures += 1
            if self._failures < self._cooldown.tolerance:
                return
            if not self._pause:
                self._say(logging.WARNING, "down", reason)
            self._pause = min(self._pause * 2 or self._cooldown.first, self._cooldown.longest)
            self._shut_until = self._clock() + self._pause

    def left(self, *, probe: bool) -> None:
        """The operation was broken off and says nothing about the server."""
        with self._mutex:
            self._probing = self._probing and not probe

    def _told_by(self, probe: bool) -> bool:
        """Whether an operation says something new: one that entered before the gate was shut and ends now does not."""
        return probe or not self._pause

    def _open(self) -> None:
        if self._pause:
            self._say(logging.INFO, "up", "it answers again")
        self._failures, self._pause, self._probing = 0, 0.0, False

    def _say(self, level: int, state: str, reason: str) -> None:
        extra = {"event": "cache-server", "state": state, "server": self._server, "reason": reason}
        _log.log(level, "cache server %s is %s: %s", self._server, state, reason, extra=extra)
