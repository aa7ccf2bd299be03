"""What one worker takes from its clients, and how long it waits for them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Numbers of connections, bytes and seconds of one worker.

    ``request_seconds`` is for the head of a request and again for its body. ``progress_seconds`` is how long a client
    may take nothing of its answer; what takes longer than that, while the client is waited for, has to be taken at
    ``least_rate`` bytes a second on average. ``outgoing_bytes`` are those of answers that clients are still to take, a
    body that several take counted once; ``stream_bytes`` how much of a streamed one is made ahead of its client.
    """

    connections: int = 2000
    line_bytes: int = 8190
    head_bytes: int = 128 * 1024
    body_bytes: int = 64 * 1024
    incoming_bytes: int = 32 * 1024 * 1024
    outgoing_bytes: int = 256 * 1024 * 1024
    stream_bytes: int = 1024 * 1024
    unsent_bytes: int = 128 * 1024
    """What the system buffers for a client beyond what is on its way (``TCP_NOTSENT_LOWAT``)."""
    request_seconds: float = 10.0
    keepalive_seconds: float = 30.0
    progress_seconds: float = 60.0
    least_rate: int = 16 * 1024
    stalled_seconds: float = 5.0
    """Without progress, after which a client may be cut off where others need the room."""
    linger_seconds: float = 2.0
    linger_bytes: int = 64 * 1024
    stop_seconds: float = 1.0
    """How long idle connections stay when the worker stops: a request may be on its way."""
