"""Asks a token endpoint for an access token by client credentials (RFC 6749, 4.4.2; with mutual TLS RFC 8705, 2)."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import Any

import msgspec

from service.concurrency.deadline import Deadline
from service.concurrency.decoders import json_decoder
from service.domain.errors import BadGateway, RateLimited, RuntimeRefuses, RuntimeUnavailable
from service.runtimes.transport import HttpTransport, Retries
from service.runtimes.transport.retries import Passing, retry_after, whole_seconds
from service.telemetry.prometheus import Telemetry

_OPERATION = "token"
_MOST_BYTES = 256 * 1024
_OK, _TOO_MANY, _SERVER_ERROR = 200, 429, 500
_REFUSALS = frozenset({400, 401, 403})
_PAUSE = 5.0


class TokenEndpoint:
    """A token endpoint; ``client_secret`` is ``None`` where the service authenticates by a client certificate."""

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
        """A new token, with retries.

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
        raise BadGateway("the authorization server's answer is not one of a token endpoint; check the token URL")


_USUAL_LIFETIME = 300.0
"""The lifetime in seconds of a token without ``expires_in``, which RFC 6749 leaves open."""
_SHORTEST, _LONGEST = 1.0, 86400.0
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")
"""RFC 6750, 2.1: ``b64token``. Other text could break out of the header."""
_MOST_CHARACTERS = 16 * 1024
_SHAPE = "the authorization server's answer is not an access token"


@dataclass(frozen=True, slots=True)
class Grant:
    """An access token as it is sent, and its lifetime in seconds from the request."""

    authorization: str = field(repr=False)
    lifetime: float


def grant_of(body: bytes) -> Grant:
    """The token of an answer. Raises ``BadGateway`` unless it is a bearer token. An invalid lifetime counts as
    missing."""
    try:
        answer = json_decoder(dict[str, Any]).decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise BadGateway(_SHAPE) from None
    token, kind = answer.get("access_token"), answer.get("token_type", "bearer")
    if not isinstance(kind, str) or kind.lower() != "bearer":
        raise BadGateway(_SHAPE)
    if not isinstance(token, str) or len(token) > _MOST_CHARACTERS or not _TOKEN.fullmatch(token):
        raise BadGateway(_SHAPE)
    return Grant(f"Bearer {token}", _lifetime(answer.get("expires_in")))


def _lifetime(expires_in: object) -> float:
    if isinstance(expires_in, bool) or not isinstance(expires_in, int | float | str):
        return _USUAL_LIFETIME
    try:
        seconds = float(expires_in)
    except (ValueError, OverflowError):
        return _USUAL_LIFETIME
    return _USUAL_LIFETIME if math.isnan(seconds) else min(_LONGEST, max(_SHORTEST, seconds))
