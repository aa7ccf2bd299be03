"""The limits of one worker: connections, bytes, seconds."""

from __future__ import annotations

import msgspec


class Limits(msgspec.Struct, frozen=True):
    """Numbers of connections, bytes and seconds of one worker.

    ``request_seconds`` is for the head of a request and again for its body. ``progress_seconds`` is how long a client
    may read nothing of its answer; an answer that takes longer has to be read at ``least_rate`` bytes a second on
    average. ``outgoing_bytes`` is for answers that clients have not read yet, with shared bodies counted once;
    ``stream_bytes`` is how much of a streamed answer is made ahead of its client.
    """

    connections: int = 2000
    line_bytes: int = 8190
    head_bytes: int = 128 * 1024
    body_bytes: int = 64 * 1024
    incoming_bytes: int = 32 * 1024 * 1024
    outgoing_bytes: int = 256 * 1024 * 1024
    stream_bytes: int = 1024 * 1024
    unsent_bytes: int = 128 * 1024
    """Bytes that the system buffers for a client beyond those in flight (``TCP_NOTSENT_LOWAT``)."""
    request_seconds: float = 10.0
    keepalive_seconds: float = 30.0
    progress_seconds: float = 60.0
    least_rate: int = 16 * 1024
    stalled_seconds: float = 5.0
    """Seconds without progress after which a client may be ended where others need the room."""
    linger_seconds: float = 2.0
    linger_bytes: int = 64 * 1024
    stop_seconds: float = 1.0
    """Seconds that idle connections stay open when the worker stops, as a request may be on its way."""
