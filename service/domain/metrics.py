"""A run's metric resource: everything that was tracked for the run."""

from __future__ import annotations

import msgspec


class MetricResource(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Metrics, tags and custom info of one run, as JSON text that is ready but for the caller's time zone.

    ``created_at`` and ``modified_at`` are templates (``domain.templates``) of one timestamp or ``null``; ``metrics`` is
    a template of a JSON array of ``{"name", "value", "timestamp", "step", "labels"}`` in the runtime's order;
    ``tags`` and ``custom_info`` are JSON arrays of ``{"name", "value"}``. Numbers and strings are the very characters
    that the runtime sent. ``unreadable`` counts the timestamps that were given and could not be read.
    """

    run_id: str
    created_at: bytes = b"null"
    modified_at: bytes = b"null"
    metrics: bytes = b"[]"
    tags: bytes = b"[]"
    custom_info: bytes = b"[]"
    count: int = 0
    unreadable: int = 0
