"""Remembered errors: the names of outcomes in the store, and the errors that they stand for."""

from __future__ import annotations

from collections.abc import Callable

from service.domain.errors import (
    AnswerTooLarge,
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
"""The name of an outcome in the store, the type of the error, and a function that makes the error from a run's id, or
from the hint after the name."""
_REFUSALS = (RuntimeForbids, RuntimeRefuses)


def of(error: ServiceError) -> Fetched | ServiceError:
    """What is stored for the error of a run, or the error itself where it is not remembered."""
    hint = error.hint if isinstance(error, _REFUSALS) else ""
    return next((Fetched(name + hint) for name, kind, _ in _REMEMBERED if isinstance(error, kind)), error)


def of_capabilities(error: ServiceError) -> Fetched | ServiceError:
    """The same for capabilities, of which only an absence is remembered, with its reason."""
    return Fetched(f"{_UNDESCRIBED}:{error.detail}") if isinstance(error, BadGateway) else error


def error_of(outcome: str, run_id: str) -> ServiceError:
    """The error that a remembered outcome stands for."""
    name, colon, hint = outcome.partition(":")
    if name == _UNDESCRIBED:
        return BadGateway(hint or "the AI runtime does not say what it can do")
    make = next((make for known, _, make in _REMEMBERED if known == name), RunNotFound)
    return make(colon + hint if make in _REFUSALS else run_id)


def name_of(error: ServiceError) -> str:
    return type(error).__name__


def error_named(name: str) -> ServiceError:
    """The error of that name, with its default detail."""
    match name:
        case "RateLimited":
            return RateLimited()
        case "RuntimeTimeout":
            return RuntimeTimeout()
        case "RuntimeForbids":
            return RuntimeForbids()
        case "RuntimeRefuses":
            return RuntimeRefuses()
        case "AnswerTooLarge":
            return AnswerTooLarge()
        case "BadGateway":
            return BadGateway("the AI runtime's answer cannot be used")
        case _:
            return RuntimeUnavailable()
