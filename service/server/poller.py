"""Waits for ready sockets, and for steps that other threads ask the loop to run."""

from __future__ import annotations

import os
import selectors
import socket
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import msgspec

from service.server.connection import Connection

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE


class Ready(msgspec.Struct):
    """The events of a wait. Connections are roughly in the order in which they became ready."""

    events: int
    listeners: list[socket.socket] = msgspec.field(default_factory=list)
    readable: list[Connection] = msgspec.field(default_factory=list)
    writable: list[Connection] = msgspec.field(default_factory=list)


class Poller:
    """A poller; all methods except ``call`` belong to the loop's thread."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._wake_read, self._wake_write = os.pipe()
        self._woken = False
        self._calls: deque[tuple[Callable[..., None], tuple[Any, ...]]] = deque()
        for end in (self._wake_read, self._wake_write):
            os.set_blocking(end, False)
        self._selector.register(self._wake_read, READ, None)

    def call(self, step: Callable[..., None], *arguments: Any) -> None:
        """Run ``step`` on the loop's thread soon. May be called by any thread, and by signal handlers."""
        self._calls.append((step, arguments))
        self._wake()

    def wait(self, timeout: float) -> Ready:
        """Wait for ``timeout`` seconds at most."""
        events = self._selector.select(max(0.0, timeout))
        ready = Ready(len(events))
        for key, mask in events:
            what = key.data
            if isinstance(what, Connection):
                (ready.writable if mask & WRITE else ready.readable).append(what)
            elif what is not None:
                ready.listeners.append(what)
            else:
                os.read(self._wake_read, 4096)
                self._woken = False
        return ready

    def do_calls(self, most: int) -> None:
        """Run at most ``most`` requested steps; the rest wakes the loop again."""
        for _ in range(min(len(self._calls), most)):
            step, arguments = self._calls.popleft()
            step(*arguments)
        if self._calls:
            self._wake()

    def watch(self, connection: Connection, what: int) -> None:
        """Let ``wait`` report when ``connection`` is ready for ``READ``, ``WRITE`` or nothing."""
        if what == connection.events:
            return
        if not connection.events:
            self._selector.register(connection.socket, what, connection)
        elif not what:
            self._selector.unregister(connection.socket)
        else:
            self._selector.modify(connection.socket, what, connection)
        connection.events = what

    def watch_listener(self, listener: socket.socket, *, on: bool) -> None:
        """Let ``wait`` report new connections, or no longer."""
        if on:
            self._selector.register(listener, READ, listener)
        else:
            self._selector.unregister(listener)

    def close(self) -> None:
        self._selector.close()
        os.close(self._wake_read)
        os.close(self._wake_write)
        self._wake_write = -1

    def _wake(self) -> None:
        if not self._woken:
            self._woken = True
            with suppress(OSError):  # full, which wakes the loop as well, or the loop has ended
                os.write(self._wake_write, b"\0")
