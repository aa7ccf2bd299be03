"""Verifies tokens: form, algorithm, issuer, signature, audience, time (RFC 8725); then asks what they grant."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jwt

from service.auth.audience import is_meant
from service.auth.catalogue import RoleCatalogue
from service.auth.claims import principal_of
from service.auth.issuer_keys import IssuerKeys
from service.auth.issuers import TrustedIssuer
from service.auth.remembered import Remembered
from service.auth.tokens import Token, bearer, parse
from service.domain.access import Principal
from service.domain.errors import InvalidToken

_LATEST = 2.0**53


class Verifier:
    """See ``domain.access.TokenVerifier``. ``leeway`` in seconds, ``clock`` in seconds since the epoch."""

    def __init__(
        self,
        issuers: Sequence[tuple[TrustedIssuer, IssuerKeys]],
        catalogue: RoleCatalogue,
        *,
        algorithms: Sequence[str],
        leeway: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._issuers = tuple(issuers)
        self._catalogue = catalogue
        self._algorithms = frozenset(algorithms)
        self._leeway = leeway
        self._clock = clock
        self._remembered = Remembered()
        self._signatures = jwt.PyJWS(algorithms=list(algorithms))
        self._ended = threading.Event()
        self._refresher: threading.Thread | None = None

    def verify(self, authorization: str | None) -> Principal:
        encoded = bearer(authorization)
        now = self._clock()
        known = self._remembered.get(encoded, now)
        if known is not None:
            return known
        token = parse(encoded)
        issuer, keys = self._issuer(token)
        self._check_signature(token, keys)
        self._check_times(token.claims, now)
        if not is_meant(token.claims, issuer):
            raise InvalidToken("the token is not meant for this service")
        principal = principal_of(token, issuer, self._catalogue)
        self._remembered.put(encoded, principal, now, self._leeway)
        return principal

    def keys_loaded(self) -> Mapping[str, bool]:
        return {issuer.name: keys.loaded for issuer, keys in self._issuers}

    def start(self) -> None:
        if self._refresher is None:
            self._refresher = threading.Thread(target=self._refresh, name="key-refresher", daemon=True)
            self._refresher.start()

    def close(self) -> None:
        self._ended.set()

    def _issuer(self, token: Token) -> tuple[TrustedIssuer, IssuerKeys]:
        if token.algorithm not in self._algorithms:
            raise InvalidToken("the token's algorithm is not accepted")
        named = token.claims.get("iss")
        if isinstance(named, str):
            for issuer, keys in self._issuers:
                if issuer.issued(named):
                    return issuer, keys
        raise InvalidToken("the token's issuer is not trusted")

    def _check_signature(self, token: Token, keys: IssuerKeys) -> None:
        candidates = keys.candidates(token)
        if not candidates:
            raise InvalidToken("the token's key is not known")
        for candidate in candidates:
            try:
                self._signatures.decode_complete(token.encoded, candidate.key, algorithms=[token.algorithm])
            except (jwt.PyJWTError, ValueError, TypeError):
                continue
            return
        raise InvalidToken("the token's signature does not hold")

    def _check_times(self, claims: Mapping[str, Any], now: float) -> None:
        """RFC 7519, 4.1.4 to 4.1.6; ``exp`` is required."""
        if now >= _moment(claims, "exp", required=True) + self._leeway:
            raise InvalidToken("the token has expired")
        if now < _moment(claims, "nbf") - self._leeway:
            raise InvalidToken("the token is not valid yet")
        if now < _moment(claims, "iat") - self._leeway:
            raise InvalidToken("the token was issued in the future")

    def _refresh(self) -> None:
        while True:
            for _, keys in self._issuers:
                keys.refresh()
            loaded = all(keys.loaded for _, keys in self._issuers)
            if self._ended.wait(30.0 if loaded else 0.5):
                return


def _moment(claims: Mapping[str, Any], name: str, *, required: bool = False) -> float:
    if name not in claims and not required:
        return -math.inf
    moment = claims.get(name)
    if isinstance(moment, bool) or not isinstance(moment, (int, float)) or not 0 <= moment <= _LATEST:
        raise InvalidToken(f"the token's {name} is not a time")
    return float(moment)
