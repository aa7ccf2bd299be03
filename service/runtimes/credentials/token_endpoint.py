"""Asks a token endpoint for an access token by client credentials (RFC 6749, 4.4.2; with mutual TLS RFC 8705, 2)."""

from __future__ import annotations

from service.domain.deadlines import Deadline
from service.domain.errors import BadGateway, RateLimited, RuntimeRefuses, RuntimeUnavailable
from service.runtimes.credentials.grants import Grant, grant_of
from service.runtimes.transport import HttpTransport, Retries
from service.runtimes.transport.retries import Passing
from service.runtimes.transport.retry_after import retry_after, whole_seconds
from service.telemetry.metrics import Telemetry

_OPERATION = "token"
_MOST_BYTES = 256 * 1024
_OK, _TOO_MANY, _SERVER_ERROR = 200, 429, 500
_REFUSALS = frozenset({400, 401, 403})
_PAUSE = 5.0


class TokenEndpoint:
    """``client_secret`` is ``None`` where the transport's client certificate speaks for the service."""

    def __init__(
        self,
        token_url: str,
        client_id: str,
        client_secret: str | None,
        *,
        transport: HttpTransport,
        retries: Retries,
        telemetry: Telemetry,
    ) -> None:
        self._url = token_url
        self._form = {"grant_type": "client_credentials", "client_id": client_id}
        if client_secret is not None:
            self._form["client_secret"] = client_secret
        self._transport = transport
        self._retries = retries
        self._telemetry = telemetry

    def grant(self, deadline: Deadline) -> Grant:
        """A new token. A request for one can be repeated without harm, and is.

        Raises ``RuntimeRefuses`` where the credentials are refused, ``RuntimeTrouble`` otherwise.
        """
        again = self._telemetry.upstream_retry
        return self._retries.run(lambda: self._ask(deadline), deadline, lambda: again(_OPERATION))

    def _ask(self, deadline: Deadline) -> Grant:
        try:
            answer = self._transport.exchange(
                "POST",
                self._url,
                headers={},
                deadline=deadline,
                operation=_OPERATION,
                form=self._form,
                max_body_bytes=_MOST_BYTES,
            )
        except RuntimeUnavailable as error:
            raise Passing(RuntimeUnavailable("the authorization server cannot be reached")) from error
        if answer.status == _OK:
            return grant_of(answer.body)
        if answer.status in _REFUSALS:
            raise RuntimeRefuses
        wait = retry_after(answer.headers)
        if answer.status == _TOO_MANY:
            raise Passing(RateLimited(whole_seconds(wait)), wait)
        if answer.status >= _SERVER_ERROR:
            pause = whole_seconds(_PAUSE if wait is None else wait)
            raise Passing(RuntimeUnavailable("the authorization server fails", pause), wait)
        raise BadGateway("the authorization server does not answer as one")
