"""What is remembered of a fetch that gave no value: an outcome's name in the store, and the error it stands for."""

from __future__ import annotations

from service.domain.errors import (
    MetricsNotSupported,
    RunGone,
    RunNotFound,
    RuntimeForbids,
    RuntimeRefuses,
    ServiceError,
)
from service.domain.runtime import RunMetrics
from service.runtimes import stored
from service.runtimes.read_through import VALUE, Fetched

ABSENT, GONE, UNSUPPORTED, UNTOLD = "absent", "gone", "unsupported", "untold"
FORBIDDEN, REFUSED = "forbidden", "refused"


def fetched(outcome: RunMetrics | ServiceError) -> Fetched | ServiceError:
    """A run's metrics, or what their absence means, for the store."""
    if isinstance(outcome, RunMetrics):
        return Fetched(VALUE, outcome.may_change, stored.packed(outcome.resource))
    return of(outcome)


def of(error: ServiceError) -> Fetched | ServiceError:
    """What an error means for the store: something to remember, or trouble."""
    match error:
        case RunGone():
            return Fetched(GONE)
        case RunNotFound():
            return Fetched(ABSENT)
        case MetricsNotSupported():
            return Fetched(UNSUPPORTED)
        case RuntimeForbids():
            return Fetched(FORBIDDEN)
        case RuntimeRefuses():
            return Fetched(REFUSED)
        case _:
            return error


_ERRORS = {UNSUPPORTED: MetricsNotSupported, FORBIDDEN: RuntimeForbids, REFUSED: RuntimeRefuses}


def error_of(outcome: str, run_id: str) -> ServiceError:
    """The error that a remembered outcome stands for."""
    if outcome in _ERRORS:
        return _ERRORS[outcome]()
    return RunGone(run_id) if outcome == GONE else RunNotFound(run_id)
