"""The positions that whole metric resources have among their events, each worked out once."""

from __future__ import annotations

from service.concurrency.bounded_map import BoundedMap
from service.domain.events import Observed, Position, position_of_snapshot
from service.domain.metrics import MetricResource
from service.reads.results import Read

EVENT_ID = "Event-ID"
_MOST = 4096
_SMALL = 1024 * 1024
"""Bytes of content up to which its points are looked at, so that its id says something where nothing is stored."""


class EventIds:
    """Safe from any thread."""

    def __init__(self) -> None:
        self._known: BoundedMap[tuple[bytes, str], str] = BoundedMap(_MOST)

    def of(self, run: Read[MetricResource]) -> str:
        """The id of the event behind which all of ``run`` was given. Raises ``ContentGone``."""
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
