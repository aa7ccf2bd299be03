"""One client's connection, and where it stands."""

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
"""CRLF CRLF, or what a lenient reader could take for it: the parser refuses the latter (RFC 9112, 2.2)."""
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
    """What is known of a connection. The loop owns it, but while it is ``RUNNING``, when a thread does.

    ``deadline`` (of the monotonic clock) is when the loop ends what the state waits for.
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
        """What the poller reports of it."""
        self.parked = False
        """Whether the client has sent more while its request is served; it is left alone until that is answered."""
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
        """Bytes that the system had for the client a while ago; ``None`` where it was given more since."""
        self.held: deque[bytes] = deque()
        """The objects of ``outgoing`` that are counted."""
        self.held_ahead = 0
        """Bytes counted for what may still be made of a streamed answer."""
        self.stream: PushedBody | None = None
        """What is pushed to the client while no thread serves it; the state is ``RUNNING`` then."""
        self.sending_since = 0.0
        """When the loop began to send what there is (monotonic clock)."""

    def drop_unacknowledged(self, seconds: float) -> None:
        """Have the system end the connection where its client acknowledges nothing of what was sent for so long.

        Left alone, Linux waits a quarter of an hour for a machine that is gone, and without end for one that takes
        nothing.
        """
        option = getattr(socket, "TCP_USER_TIMEOUT", None)
        if option is not None and self.socket.family in {socket.AF_INET, socket.AF_INET6}:
            with suppress(OSError):
                self.socket.setsockopt(socket.IPPROTO_TCP, option, max(1, round(seconds * 1000)))

    def take_head(self) -> bytes | None:
        """A whole head, taken from the buffer; ``None`` where there is none yet. Looks at each byte once."""
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
        """Whether the first line is, whose end has not come yet."""
        return len(self.buffer) > most + 2 and self.buffer.find(b"\n", 2, most + 4) < 0

    def cannot_be_http(self) -> bool:
        """Whether what came is no beginning of a request, as where TLS is spoken to this port."""
        return _NO_REQUEST.match(self.buffer) is not None
