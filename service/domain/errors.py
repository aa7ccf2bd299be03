"""The tree of errors. Their HTTP statuses are in one table, ``api/http/problems``.

A ``detail`` is written for the caller: it names what was wrong and never carries a token, a host name, or what an
upstream server answered.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

_MOST_NAMED = 10


class ServiceError(Exception):
    """Base of all errors that reach a caller."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class Fault(msgspec.Struct, frozen=True):
    """A fault of one parameter of a request."""

    parameter: str
    detail: str


class InvalidParameter(ServiceError):
    """The request cannot be understood; each fault names its parameter."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults: tuple[Fault, ...] = tuple(faults)
        super().__init__("; ".join(f"{fault.parameter}: {fault.detail}" for fault in self.faults))


class Unauthenticated(ServiceError):
    """No credentials were given."""


class InvalidToken(Unauthenticated):
    """The credentials are not valid (RFC 6750 ``invalid_token``)."""


class KeysUnavailable(ServiceError):
    """The token may be valid, but no key of its issuer is available to check it.

    Raised only when no key of that issuer was ever loaded; ``retry_after`` is in seconds.
    """

    def __init__(self, detail: str, retry_after: int = 5) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class Forbidden(ServiceError):
    """The caller may not do this: ``scope`` is missing, or ``resource_group`` is not the caller's."""

    def __init__(
        self,
        detail: str,
        *,
        scope: str | None = None,
        roles: Sequence[str] = (),
        role_collections: Sequence[str] = (),
        resource_group: str | None = None,
    ) -> None:
        super().__init__(detail)
        self.resource_group = resource_group
        self.scope = scope
        self.roles = tuple(roles)
        self.role_collections = tuple(role_collections)


class CursorExpired(ServiceError):
    """The snapshot that the pages are of is no longer stored."""

    def __init__(self) -> None:
        super().__init__("the snapshot of this cursor is no longer stored; start again without a cursor")


class RunNotFound(ServiceError):
    """The runtime knows no such run in that resource group; of several that are asked for, none."""

    def __init__(self, *run_ids: str) -> None:
        named = ", ".join(map(repr, run_ids[:_MOST_NAMED])) + (", …" if len(run_ids) > _MOST_NAMED else "")
        self.what = f"there is no run {named}" if len(run_ids) == 1 else f"there are no runs {named}"
        super().__init__(f"{self.what} in this resource group")


class MetricsNotSupported(ServiceError):
    """The runtime has no metrics extension."""

    def __init__(self) -> None:
        super().__init__("the AI runtime does not offer the metrics extension, so its runs have no metric resource")


class LogsNotSupported(ServiceError):
    """The runtime has no logs of its runs."""

    def __init__(self) -> None:
        super().__init__("the AI runtime does not offer the logs of its runs")


class NotAcceptable(ServiceError):
    """None of the formats that the caller accepts is available; ``offered`` lists those that are.

    ``reason`` says why another format, which might be expected, is not.
    """

    def __init__(self, offered: Sequence[str], reason: str = "") -> None:
        detail = "this resource is available as " + ", ".join(offered)
        super().__init__(f"{detail}; {reason}" if reason else detail)
        self.offered = tuple(offered)


class OnlyIfCached(ServiceError):
    """The caller accepts a stored answer only, and there is none (RFC 9111, 5.2.1.7)."""

    def __init__(self) -> None:
        super().__init__("there is no stored answer that satisfies only-if-cached")


class Overloaded(ServiceError):
    """The service is at its limit; ``retry_after`` is in seconds."""

    def __init__(self, detail: str, retry_after: int = 1) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class TooSoon(Overloaded):
    """A forced refresh came too soon after another; it is possible after ``seconds``."""

    def __init__(self, seconds: float) -> None:
        super().__init__("this was refreshed a moment ago; try again later", max(1, round(seconds)))
        self.seconds = seconds


class RuntimeTrouble(ServiceError):
    """The AI runtime gave no usable answer. A stored one may be served instead (RFC 5861 stale-if-error)."""


class RateLimited(RuntimeTrouble):
    """The runtime's rate limit; ``retry_after`` is the runtime's own ``Retry-After`` in seconds, where it sent one."""

    def __init__(self, retry_after: int | None = None) -> None:
        super().__init__("the AI runtime limits the rate of requests")
        self.retry_after = retry_after


class BadGateway(RuntimeTrouble):
    """The runtime's answer is not one of its kind, or cannot be read."""


class AnswerTooLarge(BadGateway):
    """The runtime's answer is larger than what is read of one."""

    def __init__(self, detail: str = "the AI runtime's answer exceeds the size limit") -> None:
        super().__init__(detail)


class RuntimeUnavailable(RuntimeTrouble):
    """The runtime cannot be reached, answers 5xx, or its circuit is open; ``retry_after`` is in seconds."""

    def __init__(self, detail: str = "the AI runtime cannot be reached", retry_after: int = 5) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class RuntimeTimeout(RuntimeTrouble):
    """The runtime did not answer within the deadline; ``hint`` says more."""

    def __init__(self, hint: str = "") -> None:
        super().__init__(f"the AI runtime did not answer in time{hint}")


class RuntimeForbids(ServiceError):
    """The runtime refuses this caller (its own token was sent upstream) or this resource group; ``hint`` says more."""

    def __init__(self, hint: str = "") -> None:
        super().__init__(f"the AI runtime refuses the caller's token, or access with it to this resource group{hint}")
        self.hint = hint


class RuntimeRefuses(ServiceError):
    """The runtime refuses the service's own credentials. No stored answer is served instead, as access may have been
    withdrawn. ``hint`` says more."""

    def __init__(self, hint: str = "") -> None:
        super().__init__(f"the AI runtime refuses the service's credentials{hint}")
        self.hint = hint


class RunGone(RunNotFound):
    """The runtime says that the run existed and was deleted for good."""


class CacheUnavailable(Exception):
    """The cache server cannot be used now. Never reaches a caller: the answer comes from the runtime instead."""
