"""Classifies exceptions of a cache client by what they say about the server."""

from __future__ import annotations

from enum import Enum

from redis.exceptions import ClusterDownError, MaxConnectionsError, RedisError, ResponseError

from service.domain.errors import CacheUnavailable


class Verdict(Enum):
    """The state of the server according to an exception."""

    DEAD = "dead"
    """It did not answer in time, or its answer was invalid."""
    REFUSES = "refuses"
    """It answered, and refused the operation: full, read-only, not permitted, wrong type, …"""
    UNKNOWN = "unknown"
    """The operation did not reach it."""


def verdict(error: Exception) -> Verdict:
    """The verdict on an exception. ``CLUSTERDOWN`` and ``MASTERDOWN`` are answers, too, but mean that no master
    works."""
    if isinstance(error, MaxConnectionsError | CacheUnavailable):
        return Verdict.UNKNOWN
    if isinstance(error, ResponseError) and not isinstance(error, ClusterDownError):
        return Verdict.REFUSES
    return Verdict.DEAD


def reason(error: Exception) -> str:
    """The error for the log: its class, and its text where that is about the network, not about keys and values."""
    about_network = isinstance(error, OSError | RedisError) and not isinstance(error, ResponseError)
    return f"{type(error).__name__}: {error}"[:200] if about_network else type(error).__name__
