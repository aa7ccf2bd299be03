"""Which of several runs are running, by one request instead of one for each.

Watched runs are read in batches every few seconds, and nearly all of them go on running. So those that were running
when they were last read are looked up in the runtime's list of running runs; the status of a run that is not in it is
requested separately. A list that was of no use is on trial: it is requested once a minute, beside the status of every
run.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence

from service.concurrency.bounded_map import BoundedMap
from service.domain.errors import ServiceError
from service.domain.runs import RunStatus
from service.domain.runtime import CacheScope

FEWEST = 4
"""Running runs from which on one list costs less than a request for each."""
MOST_LISTED = 200
SECONDS = 1.0
"""The most seconds that a list may take."""
GRACE = 0.1
"""Seconds that a list may take longer than the metrics, which may also take as long again, before it counts as late."""
_IN_VAIN_SECONDS = 60.0
"""Seconds for which no list is requested after one that failed or lacked most of the runs."""
_MOST_KNOWN, _MOST_SCOPES = 10_000, 1000

_Scope = tuple[str, str, str | None]


class RunningRuns:
    """The runs that were running when they were last read, in this process. Thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: BoundedMap[tuple[_Scope, str], bool] = BoundedMap(_MOST_KNOWN)
        self._in_vain_until: BoundedMap[_Scope, float] = BoundedMap(_MOST_SCOPES)

    def worth_listing(self, run_ids: Sequence[str], scope: CacheScope, *, likely: bool = False) -> Sequence[str]:
        """Those of the runs whose statuses a list of the running ones is likely to give; none where it is not worth
        a request.

        ``likely``: all runs are likely to be running, also those that were not read before.
        """
        named = _named(scope)
        known = [run_id for run_id in run_ids if likely or self._known.get((named, run_id))]
        in_vain = self._clock() < (self._in_vain_until.get(named) or 0.0)
        return () if in_vain or len(known) < FEWEST else known

    def on_trial(self, scope: CacheScope) -> bool:
        """Whether the last list was of no use, so that nothing may depend on the next one."""
        return self._in_vain_until.get(_named(scope)) is not None

    def listed(self, wanted: Sequence[str], running: Collection[str] | ServiceError, scope: CacheScope) -> list[str]:
        """Those of the ``wanted`` runs that are in a list of running ones, or in the outcome of that request."""
        found = [] if isinstance(running, ServiceError) else [run_id for run_id in wanted if run_id in running]
        if 2 * len(found) < len(wanted):
            self._in_vain_until.keep(_named(scope), self._clock() + _IN_VAIN_SECONDS)
        else:
            self._in_vain_until.forget(_named(scope))
        return found

    def note(self, statuses: Mapping[str, RunStatus | ServiceError], scope: CacheScope) -> None:
        """Note statuses that have just been read."""
        named = _named(scope)
        for run_id, status in statuses.items():
            if status is RunStatus.RUNNING:
                self._known.keep((named, run_id), True)
            else:
                self._known.forget((named, run_id))


def _named(scope: CacheScope) -> _Scope:
    """The scope without its token, which changes."""
    return scope.tenant, scope.resource_group, scope.caller
