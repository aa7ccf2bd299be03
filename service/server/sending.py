"""Sends the rest of answers by the loop, as clients read them, without a thread."""

from __future__ import annotations

import fcntl
import math
import socket
import struct
import termios
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from service.server import refusals
from service.server.connection import Connection, State
from service.server.connection_table import Connections
from service.server.outgoing import whole
from service.server.poller import READ, WRITE, Poller
from service.server.refusals import Refusal

_AT_ONCE = 1024 * 1024
"""Bytes sent to one client in a turn."""
_TURN_SECONDS = 0.005
"""Seconds of sending in one turn of the loop."""


class Sender:
    """``answered`` is called when an answer has been sent and its connection stays open, or lingers."""

    def __init__(self, poller: Poller, connections: Connections, answered: Callable[[Connection], None]) -> None:
        self._poller = poller
        self._connections = connections
        self._limits = connections.limits
        self._answered = answered
        self._sent_to = 0

    def refuse(self, connection: Connection, refusal: Refusal, error: Exception | None = None) -> None:
        """Send a refusal, and close."""
        self._connections.count_incoming(connection, 0)
        connection.buffer.clear()
        outgoing = connection.outgoing
        with outgoing.lock:
            outgoing.begin()
            outgoing.ended = outgoing.close_after = outgoing.handed_over = True
        outgoing.append(refusals.answer(refusal, error))
        self._begin(connection)
        self._send(connection)

    def take_over(self, connection: Connection) -> None:
        """Send the rest of an answer that a thread could not send at once."""
        if connection.state is State.CLOSED:
            return
        outgoing = connection.outgoing
        with outgoing.lock:
            self._begin(connection)
            answer = list(whole(outgoing.pieces)) if outgoing.ended else []
            ahead = 0 if outgoing.ended else self._limits.stream_bytes
        if self._connections.hold(connection, answer, ahead):
            self._send(connection)
        elif outgoing.begun:
            self._connections.end(connection)
        else:
            with outgoing.lock:
                outgoing.clear()
            self.refuse(connection, refusals.OVERLOADED)

    def send_to(self, writable: Sequence[Connection]) -> None:
        """Send for a while, beginning with other clients than the last time."""
        first = self._sent_to % len(writable)
        ends = time.monotonic() + _TURN_SECONDS
        for connection in (*writable[first:], *writable[:first]):
            self._connections.safely(self._send, connection)
            self._sent_to += 1
            if time.monotonic() > ends:
                break

    def has_time(self, connection: Connection, now: float) -> bool:
        """Whether a client may take longer to read its answer. To be called every second or so."""
        self._note_progress(connection, now)
        if connection.deadline <= now:
            return False
        outgoing = connection.outgoing
        took = outgoing.seconds + now - connection.sending_since
        return took <= self._limits.progress_seconds or outgoing.sent >= took * self._limits.least_rate

    def _begin(self, connection: Connection) -> None:
        connection.state = State.SENDING
        connection.sending_since = time.monotonic()
        connection.deadline = connection.sending_since + self._limits.progress_seconds

    def _send(self, connection: Connection) -> None:
        if connection.state is not State.SENDING:
            return
        outgoing = connection.outgoing
        with outgoing.lock:
            took = outgoing.send(_AT_ONCE)
            left, ended = len(outgoing.pieces), outgoing.ended
            if not left:
                outgoing.handed_over = False
                if not ended:  # its thread makes more, and may send it itself again
                    outgoing.seconds += time.monotonic() - connection.sending_since
                    connection.state = State.RUNNING
                    connection.deadline = math.inf
            if outgoing.size <= self._limits.stream_bytes // 2:
                outgoing.notify()
        self._connections.release(connection, left)
        if left:
            if took:
                connection.queued = None
                connection.deadline = time.monotonic() + self._limits.progress_seconds
            self._poller.watch(connection, WRITE)
        elif ended:
            self._answered(connection)
        else:
            self._poller.watch(connection, 0 if connection.parked else READ)

    def _note_progress(self, connection: Connection, now: float) -> None:
        """Record progress, which may be visible only in the system's buffer, where a client reads slowly."""
        queued = _queued(connection.socket)
        if connection.queued is not None and queued < connection.queued:
            connection.deadline = now + self._limits.progress_seconds
        connection.queued = queued


def _queued(sock: socket.socket) -> int:
    """Unacknowledged bytes in the system's buffer; 0 where the system does not report them."""
    with suppress(OSError):
        return int(struct.unpack("i", fcntl.ioctl(sock, termios.TIOCOUTQ, bytes(4)))[0])
    return 0
