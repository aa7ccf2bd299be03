"""What an exception raised on the way to a cache server says about that server."""

from __future__ import annotations

from enum import Enum

from redis.exceptions import ClusterDownError, MaxConnectionsError, RedisError, ResponseError

from service.domain.errors import CacheUnavailable


class Verdict(Enum):
    """What is to be thought of the server."""

    DEAD = "dead"
    """It did not answer in time, or what it answered makes no sense."""
    REFUSES = "refuses"
    """It answered, and turned this operation down: full, read-only, not permitted, wrong type, …"""
    UNKNOWN = "unknown"
    """It was not asked."""


def verdict(error: Exception) -> Verdict:
    """``CLUSTERDOWN`` and ``MASTERDOWN`` are error answers too, and yet nobody is there to do the work."""
    if isinstance(error, MaxConnectionsError | CacheUnavailable):
        return Verdict.UNKNOWN
    if isinstance(error, ResponseError) and not isinstance(error, ClusterDownError):
        return Verdict.REFUSES
    return Verdict.DEAD


def reason(error: Exception) -> str:
    """For the log: the error's class, and its text where the text is about the network, not about keys and values."""
    about_network = isinstance(error, OSError | RedisError) and not isinstance(error, ResponseError)
    return f"{type(error).__name__}: {error}"[:200] if about_network else type(error).__name__
