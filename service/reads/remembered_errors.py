"""What is remembered of a fetch that gave no value: an outcome's name in the store, and the error it stands for."""

from __future__ import annotations

from service.domain.errors import (
    BadGateway,
    MetricsNotSupported,
    RateLimited,
    RunGone,
    RunNotFound,
    RuntimeForbids,
    RuntimeRefuses,
    RuntimeTimeout,
    RuntimeUnavailable,
    ServiceError,
)
from service.reads.model import Fetched

ABSENT, GONE, UNSUPPORTED, UNTOLD = "absent", "gone", "unsupported", "untold"
FORBIDDEN, REFUSED = "forbidden", "refused"


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


def name_of(error: ServiceError) -> str:
    return type(error).__name__


def error_named(name: str) -> ServiceError:
    """The error of that name, with the detail that it has when nothing more is known."""
    match name:
        case "RateLimited":
            return RateLimited()
        case "RuntimeTimeout":
            return RuntimeTimeout()
        case "RuntimeForbids":
            return RuntimeForbids()
        case "RuntimeRefuses":
            return RuntimeRefuses()
        case "BadGateway":
            return BadGateway("the AI runtime's answer does not have the shape of the AI API")
        case _:
            return RuntimeUnavailable()
