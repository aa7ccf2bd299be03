"""Errors by name, so that a process can tell another why its fetch failed."""

from __future__ import annotations

from service.domain.errors import (
    BadGateway,
    RateLimited,
    RuntimeForbids,
    RuntimeRefuses,
    RuntimeTimeout,
    RuntimeUnavailable,
    ServiceError,
)


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
