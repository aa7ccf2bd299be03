"""Runs: where they stand, what they were started with, what came of them."""

from __future__ import annotations

from enum import StrEnum

import msgspec

NULL = b"null"


class RunStatus(StrEnum):
    """Where a run stands; the AI API's words."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    STOPPING = "STOPPING"
    COMPLETED = "COMPLETED"
    STOPPED = "STOPPED"
    DEAD = "DEAD"
    UNKNOWN = "UNKNOWN"

    @classmethod
    def of(cls, text: str) -> RunStatus:
        """The status called ``text``; ``UNKNOWN`` for a word of a later version of the API."""
        return cls(text) if text in cls.__members__ else cls.UNKNOWN

    @property
    def may_change(self) -> bool:
        """Whether the run itself may still log metrics."""
        return self not in _ENDED


_ENDED = frozenset({RunStatus.COMPLETED, RunStatus.STOPPED, RunStatus.DEAD})


class Run(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What is known of a run by itself.

    All but ``run_id`` and ``status`` (the runtime's word) are JSON literals: strings as the runtime sent them, or
    ``null``; timestamps in UTC as ``domain.localizing.utc_literal`` writes them. ``unreadable`` counts the timestamps
    that were given and could not be read.
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

    @property
    def may_change(self) -> bool:
        return RunStatus.of(self.status).may_change


class RunList(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The runs of a resource group, newest first."""

    runs: tuple[Run, ...]


class RunDetails(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A run and what surrounds it.

    JSON literals all: ``status_details`` any value; ``parameters`` an array of ``{"key", "value"}``; the artifacts
    arrays of ``{"key", "id", "name", "kind", "url"}``; ``scenario`` and ``executable`` ``{"id", "name"}``. A part that
    could not be read is ``null``, or incomplete, and named in ``unavailable``, as the contract calls it.
    """

    run: Run
    status_details: bytes = NULL
    parameters: bytes = NULL
    input_artifacts: bytes = NULL
    output_artifacts: bytes = NULL
    scenario: bytes = NULL
    executable: bytes = NULL
    unavailable: tuple[str, ...] = ()
