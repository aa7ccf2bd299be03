"""Runs: status, times, configuration, related objects."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

import msgspec

from service.domain.selection.instants import instant

NULL = b"null"


class RunStatus(StrEnum):
    """The status of a run, in the AI API's terms."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    STOPPING = "STOPPING"
    COMPLETED = "COMPLETED"
    STOPPED = "STOPPED"
    DEAD = "DEAD"
    UNKNOWN = "UNKNOWN"

    @classmethod
    def of(cls, text: str) -> RunStatus:
        """The status called ``text``; ``UNKNOWN`` for one of a later version of the API."""
        return cls(text) if text in cls.__members__ else cls.UNKNOWN

    @property
    def may_change(self) -> bool:
        """Whether the run itself may still log metrics."""
        return self not in _ENDED


def seconds_between(start: bytes | None, end: bytes | None) -> Decimal | None:
    """Seconds from one moment to another, both as converted by ``instant``; ``None`` where one is missing or outside
    the years 0001 to 9999, or ``end`` is before ``start``."""
    if start is None or end is None or end < start:
        return None
    try:
        began, ended = (datetime.fromisoformat(each[:_TO_SECONDS].decode("ascii")) for each in (start, end))
    except ValueError:
        return None
    whole = Decimal((ended - began) // _SECOND)
    if len(start) == len(end) == _TO_SECONDS:
        return whole
    return whole + (Decimal(f"0{end[_TO_SECONDS:].decode()}") - Decimal(f"0{start[_TO_SECONDS:].decode()}"))


_TO_SECONDS = len("2026-03-29T01:00:13")
_SECOND = timedelta(seconds=1)
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - what is subtracted is in UTC, too
_ENDED = frozenset({RunStatus.COMPLETED, RunStatus.STOPPED, RunStatus.DEAD})


class Run(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A run without its related objects.

    All but ``run_id`` and ``status`` (the runtime's own) are JSON literals: strings as the runtime sent them, or
    ``null``; timestamps in UTC as written by ``domain.localizing.utc_literal``. ``unreadable`` counts the timestamps
    that are present but could not be read.
    """

    run_id: str
    status: str
    target_status: bytes = NULL
    status_message: bytes = NULL
    scenario_id: bytes = NULL
    executable_id: bytes = NULL
    configuration_id: bytes = NULL
    configuration_name: bytes = NULL
    created_at: bytes = NULL
    modified_at: bytes = NULL
    submission_time: bytes = NULL
    start_time: bytes = NULL
    completion_time: bytes = NULL
    unreadable: int = 0
    execution_schedule_id: bytes = NULL

    @property
    def may_change(self) -> bool:
        return self.status not in _ENDED

    @property
    def ended_at(self) -> float | None:
        """The time of the run's end, in seconds since the epoch; ``None`` where it is not known or the run has not
        ended."""
        if self.may_change:
            return None
        moment = instant(self.completion_time) or instant(self.modified_at)
        try:
            known = None if moment is None else datetime.fromisoformat(moment[:_TO_SECONDS].decode("ascii"))
        except ValueError:
            return None
        return None if known is None else (known - _EPOCH).total_seconds() + 1

    @property
    def duration(self) -> Decimal | None:
        """Seconds from start to end; ``None`` where one is missing, or the end is before the start."""
        return seconds_between(instant(self.start_time), instant(self.completion_time))


class RunDetails(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A run and its related objects.

    All are JSON literals: ``status_details`` any value; ``parameters`` an array of ``{"key", "value"}``; the artifacts
    arrays of ``{"key", "id", "name", "kind", "url"}``; ``scenario`` ``{"id", "name"}``, ``executable`` ``{"id", "name",
    "versionId"}``. A part that
    could not be read is ``null`` or incomplete, and named in ``unavailable``.
    """

    run: Run
    status_details: bytes = NULL
    parameters: bytes = NULL
    input_artifacts: bytes = NULL
    output_artifacts: bytes = NULL
    scenario: bytes = NULL
    executable: bytes = NULL
    unavailable: tuple[str, ...] = ()
