"""The service's own access token: one for all threads, refreshed ahead of its end, replaced when it is refused."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from typing import Protocol

import msgspec

from service.concurrency.background import in_background
from service.concurrency.deadline import Deadline
from service.concurrency.single_flight import Flight, SingleFlight, StillUnderWay
from service.domain.errors import RateLimited, RuntimeTimeout, RuntimeUnavailable, ServiceError
from service.runtimes.credentials.token_endpoint import Grant
from service.runtimes.transport.retries import LONGEST

_log = logging.getLogger("service.runtimes")
_ONE = "one"


class Endpoint(Protocol):
    """The source of tokens, see ``TokenEndpoint``."""

    def grant(self, deadline: Deadline) -> Grant: ...


class Timing(msgspec.Struct, frozen=True):
    """Times in seconds.

    ``request``: the limit of one attempt to get a token. ``ahead``: how long before its end a token is refreshed, and
    ``margin``: how long before its end it is no longer used; at most a fifth and a tenth of its lifetime. After a
    failure there are no requests for ``first_pause``, doubled up to ``longest_pause``. A new token that is refused
    within ``settled`` is not replaced: then the token is not the cause.
    """

    request: float = 10.0
    ahead: float = 120.0
    margin: float = 10.0
    first_pause: float = 1.0
    longest_pause: float = 10.0
    settled: float = 1.0


class _Token(msgspec.Struct, frozen=True):
    grant: Grant
    asked_at: float
    is_replacement: bool

    def refresh_at(self, timing: Timing) -> float:
        return self.asked_at + self.grant.lifetime - min(timing.ahead, self.grant.lifetime / 5)

    def ends_at(self, timing: Timing) -> float:
        return self.asked_at + self.grant.lifetime - min(timing.margin, self.grant.lifetime / 10)


class ClientCredentials:
    """A ``TokenSource``. A request to the endpoint runs on a thread of its own and serves all waiting threads."""

    def __init__(
        self, endpoint: Endpoint, *, timing: Timing | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._endpoint = endpoint
        self._timing = timing or Timing()
        self._clock = clock
        self._lock = threading.Lock()
        self._token: _Token | None = None
        self._replacing = False
        self._requests: SingleFlight[_Token] = SingleFlight()
        self._failure: ServiceError | None = None
        self._pause = 0.0
        self._quiet_until = 0.0

    def authorization(self, deadline: Deadline) -> str:
        """The header's value; raises as in ``TokenSource``."""
        with self._lock:
            now, token = self._clock(), self._token
            if token is not None and now < token.ends_at(self._timing):
                if now >= token.refresh_at(self._timing) and now >= self._quiet_until:
                    with suppress(RuntimeUnavailable):
                        self._begin_request()
                return token.grant.authorization
            if self._failure is not None and now < self._quiet_until:
                raise self._failure.with_traceback(None)
            request = self._begin_request()
        try:
            return request.result(deadline.remaining()).grant.authorization
        except StillUnderWay:
            raise RuntimeTimeout from None

    def invalidate(self, authorization: str) -> None:
        """Drop the token, if it is still the refused one: of many refusals only one causes a request."""
        with self._lock:
            token = self._token
            if token is None or token.grant.authorization != authorization:
                return
            if token.is_replacement and self._clock() < token.asked_at + self._timing.settled:
                return
            self._token = None
            self._replacing = True

    def _begin_request(self) -> Flight[_Token]:
        """The request under way, or a new one. Raises ``RuntimeUnavailable`` where no thread can be started."""

        def begin(_: tuple[str, ...]) -> Future[Mapping[str, _Token]]:
            return in_background(lambda: {_ONE: self._fetch()}, "token")

        try:
            return self._requests.join((_ONE,), begin)[_ONE][0]
        except RuntimeError as error:
            raise RuntimeUnavailable("the service cannot get a token") from error

    def _fetch(self) -> _Token:
        asked_at = self._clock()
        try:
            return self._keep(self._endpoint.grant(Deadline.after(self._timing.request)), asked_at)
        except ServiceError as error:
            self._failed(error)
            raise
        except BaseException:
            self._failed(RuntimeUnavailable("the service cannot get a token"))
            _log.exception("unexpected error while requesting a token", extra={"event": "token", "state": "missing"})
            raise

    def _keep(self, grant: Grant, asked_at: float) -> _Token:
        with self._lock:
            token = self._token = _Token(grant, asked_at, self._replacing)
            self._replacing = False
            self._requests.forget(_ONE)  # its token may be refused before all waiting threads have it
            if self._failure is not None:
                _log.info("the service has a token again", extra={"event": "token", "state": "available"})
            self._failure, self._pause = None, 0.0
            return token

    def _failed(self, error: ServiceError) -> None:
        with self._lock:
            wished = error.retry_after if isinstance(error, RateLimited) else None
            self._pause = min(self._pause * 2 or self._timing.first_pause, self._timing.longest_pause)
            self._quiet_until = self._clock() + (self._pause if wished is None else min(wished, LONGEST))
            if self._failure is None:
                extra = {"event": "token", "state": "missing", "error": type(error).__name__}
                _log.warning("the service cannot get a token: %s", error.detail, extra=extra)
            self._failure = error


class NoCredentials:
    """A ``TokenSource`` without credentials, also where only callers' own tokens are sent."""

    def authorization(self, deadline: Deadline) -> None:
        return None

    def invalidate(self, authorization: str) -> None:
        """There is nothing to replace."""
