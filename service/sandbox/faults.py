"""Failures to try by hand, set at start and changed while the sandbox runs."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace

from msgspec import UNSET, Struct, UnsetType

from service.sandbox.errors import BadRequest, Unavailable

_LONGEST_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Faults:
    """The simulated faults of the runtime.

    ``metrics``: the metrics extension is there. ``logs``: runs have logs. ``meta``: ``/lm/meta`` is there.
    ``slow``: seconds that each answer of ``/v2`` waits. ``unavailable``: ``/v2`` answers 503. Tokens and
    keys are served all the same.
    """

    metrics: bool = True
    logs: bool = True
    meta: bool = True
    slow: float = 0.0
    unavailable: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.slow <= _LONGEST_SECONDS:
            raise ValueError(f"slow must be from 0 to {_LONGEST_SECONDS:g} seconds")


class FaultChange(Struct, forbid_unknown_fields=True):
    """The body of ``PUT /sandbox/faults``; what it leaves out stays."""

    metrics: bool | UnsetType = UNSET
    logs: bool | UnsetType = UNSET
    meta: bool | UnsetType = UNSET
    slow: float | UnsetType = UNSET
    unavailable: bool | UnsetType = UNSET


class FaultSwitch:
    """The faults in force, which any thread may read and change."""

    def __init__(self, faults: Faults) -> None:
        self._lock = threading.Lock()
        self._faults = faults

    @property
    def now(self) -> Faults:
        return self._faults

    def change(self, change: FaultChange) -> Faults:
        """Apply a change; :class:`BadRequest` where a value is out of range."""
        given = {name: value for name in change.__struct_fields__ if (value := getattr(change, name)) is not UNSET}
        with self._lock:
            try:
                self._faults = replace(self._faults, **given)
            except ValueError as error:
                raise BadRequest(str(error), "slow") from None
            return self._faults

    def apply(self) -> None:
        """Wait, or raise :class:`Unavailable`, as the faults in force have it."""
        faults = self._faults
        if faults.slow:
            time.sleep(faults.slow)
        if faults.unavailable:
            raise Unavailable("the runtime is set to be unavailable")
