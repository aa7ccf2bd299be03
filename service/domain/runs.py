"""Runs, as far as reading their metrics needs them."""

from __future__ import annotations

from enum import StrEnum


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
