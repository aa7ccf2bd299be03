"""What is remembered of a fetch that gave no value: an outcome's name in the store, and the error it stands for."""

from __future__ import annotations

from collections.abc import Callable

from service.domain.errors import (
    BadGateway,
    LogsNotSupported,
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
from service.reads.results import Fetched

UNSUPPORTED = "unsupported"
_UNDESCRIBED = "undescribed"
_REMEMBERED: tuple[tuple[str, type[ServiceError], Callable[[str], ServiceError]], ...] = (
    ("gone", RunGone, RunGone),
    ("absent", RunNotFound, RunNotFound),
    ("no-logs", LogsNotSupported, lambda _: LogsNotSupported()),
    (UNSUPPORTED, MetricsNotSupported, lambda _: MetricsNotSupported()),
    ("forbidden", RuntimeForbids, RuntimeForbids),
    ("refused", RuntimeRefuses, RuntimeRefuses),
)
"""An outcome's name in the store, the error that it is remembered of, and what makes that error of a run's id, or a
refusal of the hint that stands behind its name."""
_REFUSALS = (RuntimeForbids, RuntimeRefuses)


def of(error: ServiceError) -> Fetched | ServiceError:
    """What the error of a run means for the store: something to remember, or trouble."""
    hint = error.hint if isinstance(error, _REFUSALS) else ""
    return next((Fetched(name + hint) for name, kind, _ in _REMEMBERED if isinstance(error, kind)), error)


def of_capabilities(error: ServiceError) -> Fetched | ServiceError:
    """The same where the runtime is asked what it can do: that it does not say is remembered, all else is trouble."""
    return Fetched(_UNDESCRIBED) if isinstance(error, BadGateway) else error


def error_of(outcome: str, run_id: str) -> ServiceError:
    """The error that a remembered outcome stands for."""
    if outcome == _UNDESCRIBED:
        return BadGateway("the AI runtime does not say what it can do")
    name, colon, hint = outcome.partition(":")
    make = next((make for known, _, make in _REMEMBERED if known == name), RunNotFound)
    return make(colon + hint if make in _REFUSALS else run_id)


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
            return BadGateway("the AI runtime's answer cannot be used")
        case _:
            return RuntimeUnavailable()
