"""A client's connection and its state."""

from __future__ import annotations

import enum
import re
import socket
from collections import deque
from contextlib import suppress
from typing import Any

from gunicorn.http.message import Request

from service.concurrency.pushed_body import PushedBody
from service.server.outgoing import Outgoing

_END_OF_HEAD = re.compile(rb"\n\r?\n")
"""CRLF CRLF, or what a lenient parser could take for it, which ours refuses (RFC 9112, 2.2)."""
_NO_REQUEST = re.compile(rb"[^A-Z\r]")


class State(enum.Enum):
    IDLE = enum.auto()
    """No request, or a part of a head."""
    BODY = enum.auto()
    """A head; its body is awaited."""
    RUNNING = enum.auto()
    """A thread serves the request."""
    SENDING = enum.auto()
    """The loop sends what the client has not taken yet."""
    LINGERING = enum.auto()
    """All is sent; the client is to close first, so that it gets all of it (RFC 9112, 9.6)."""
    CLOSED = enum.auto()


class Connection:
    """A connection. It belongs to the loop, except in the state ``RUNNING``, in which it belongs to a thread.

    ``deadline`` (of the monotonic clock) is when the loop ends the wait of the present state.
    """

    __slots__ = (
        "body_bytes",
        "buffer",
        "counted",
        "deadline",
        "drained",
        "events",
        "held",
        "held_ahead",
        "outgoing",
        "parked",
        "peer",
        "queued",
        "request",
        "requests",
        "scanned",
        "sending_since",
        "server",
        "socket",
        "state",
        "stream",
    )

    def __init__(self, sock: socket.socket, peer: Any, server: Any, deadline: float) -> None:
        self.socket = sock
        self.peer = peer
        self.server = server
        self.deadline = deadline
        self.state = State.IDLE
        self.events = 0
        """The events that the poller reports."""
        self.parked = False
        """Whether the client has sent more while its request is served, which is read after the answer."""
        self.buffer = bytearray()
        self.scanned = 0
        self.counted = 0
        """Bytes of ``buffer`` that the loop has counted."""
        self.requests = 0
        self.request: Request | None = None
        self.body_bytes = 0
        self.drained = 0
        self.outgoing = Outgoing(sock)
        self.queued: int | None = None
        """Unacknowledged bytes in the system's buffer a while ago; ``None`` where more have been written since."""
        self.held: deque[bytes] = deque()
        """The pieces of ``outgoing`` that are counted."""
        self.held_ahead = 0
        """Bytes reserved for the rest of a streamed answer."""
        self.stream: PushedBody | None = None
        """The pushed body, for which no thread serves; the state is ``RUNNING`` meanwhile."""
        self.sending_since = 0.0
        """When the loop began to send (monotonic clock)."""

    def drop_unacknowledged(self, seconds: float) -> None:
        """Have the system end the connection where the client acknowledges nothing for ``seconds``.

        By default Linux waits a quarter of an hour for a machine that is gone, and for ever for one that reads nothing.
        """
        option = getattr(socket, "TCP_USER_TIMEOUT", None)
        if option is not None and self.socket.family in {socket.AF_INET, socket.AF_INET6}:
            with suppress(OSError):
                self.socket.setsockopt(socket.IPPROTO_TCP, option, max(1, round(seconds * 1000)))

    def take_head(self) -> bytes | None:
        """A complete head, removed from the buffer; ``None`` where it is not complete yet. Scans each byte once."""
        found = _END_OF_HEAD.search(self.buffer, max(0, self.scanned - 2))
        if found is None:
            self.scanned = len(self.buffer)
            return None
        self.scanned = 0
        return self.take(found.end())

    def take(self, size: int) -> bytes:
        taken = bytes(self.buffer[:size])
        del self.buffer[:size]
        return taken

    def line_is_longer_than(self, most: int) -> bool:
        """Whether the first line, still incomplete, is longer."""
        return len(self.buffer) > most + 2 and self.buffer.find(b"\n", 2, most + 4) < 0

    def cannot_be_http(self) -> bool:
        """Whether the bytes cannot be the beginning of a request, such as those of a TLS handshake."""
        return _NO_REQUEST.match(self.buffer) is not None
