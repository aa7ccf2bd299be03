"""Messages between the service and the process that draws: a tag of one byte, the length of four, the body."""

from __future__ import annotations

import select
import struct
from typing import BinaryIO

HEADER = struct.Struct(">cI")
DRAWN, REFUSED = b"+", b"-"


def pack(tag: bytes, body: bytes) -> bytes:
    return HEADER.pack(tag, len(body)) + body


def read(stream: BinaryIO) -> tuple[bytes, bytes] | None:
    """The next message; ``None`` at the end of the stream."""
    header = stream.read(HEADER.size)
    if len(header) < HEADER.size:
        return None
    tag, length = HEADER.unpack(header)
    body = stream.read(length)
    return (tag, body) if len(body) == length else None


def is_waiting(stream: BinaryIO) -> bool:
    """Whether a message has begun to arrive, or the stream has ended, before anything was read."""
    poll = select.poll()
    poll.register(stream, select.POLLIN)
    return bool(poll.poll(0))
