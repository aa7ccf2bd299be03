"""The event ids of whole metric resources, from which a stream can be started (``Event-ID``)."""

from __future__ import annotations

from service.concurrency.bounded_map import BoundedMap
from service.domain.events import Observed, Position, position_of_snapshot
from service.domain.metrics import MetricResource
from service.reads.results import Read

EVENT_ID = "Event-ID"
_MOST = 4096
_SMALL = 1024 * 1024
"""Bytes of content up to which the id has a digest of its points, so that it is usable without a stored snapshot."""


class EventIds:
    """Event ids by content and status, each made once. Thread-safe."""

    def __init__(self) -> None:
        self._known: BoundedMap[tuple[bytes, str], str] = BoundedMap(_MOST)

    def of(self, run: Read[MetricResource]) -> str:
        """The id of the event after which a client has all of ``run``. Raises ``ContentGone``."""
        key = (run.digest, run.status)
        found = self._known.get(key)
        if found is None:
            found = self._position(run).id
            self._known.keep(key, found)
        return found

    def _position(self, run: Read[MetricResource]) -> Position:
        if run.size > _SMALL:
            return position_of_snapshot(run.content(), run.snapshot, run.status)
        return Observed(run.content(), run.snapshot, run.status, may_change=run.may_change).position
