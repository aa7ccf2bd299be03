"""Verifies tokens: form, algorithm, issuer, time, audience, signature (RFC 8725)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import jwt

from service.auth.algorithms import SIGNATURE_ALGORITHMS
from service.auth.audience import is_meant
from service.auth.catalogue import RoleCatalogue
from service.auth.claims import principal_of
from service.auth.issuer_keys import Candidates, IssuerKeys
from service.auth.issuers import TrustedIssuer
from service.auth.token_cache import TokenCache
from service.auth.tokens import LONGEST, Token, bearer, parse
from service.auth.validity import check_times
from service.domain.access import Principal
from service.domain.errors import InvalidToken

_ROUND, _FIRST_ROUND = 30.0, 0.5


class Verifier:
    """See ``domain.access.TokenVerifier``. ``leeway`` in seconds, ``clock`` in seconds since the epoch; a token of more
    than ``max_bytes`` is refused.

    Raises ``ValueError`` for a symmetric algorithm: an issuer's key is never used as a secret.
    """

    def __init__(
        self,
        issuers: Sequence[tuple[TrustedIssuer, IssuerKeys]],
        catalogue: RoleCatalogue,
        *,
        algorithms: Sequence[str],
        leeway: float,
        max_bytes: int = LONGEST,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if not set(algorithms) <= set(SIGNATURE_ALGORITHMS):
            raise ValueError(f"only {', '.join(SIGNATURE_ALGORITHMS)} are accepted as algorithms")
        self._issuers = tuple(issuers)
        self._catalogue = catalogue
        self._algorithms = frozenset(algorithms)
        self._leeway = leeway
        self._clock = clock
        self._max_bytes = max_bytes
        self._token_cache = TokenCache(max_bytes)
        self._signatures = jwt.PyJWS(algorithms=list(algorithms))
        self._ended = threading.Event()
        self._refresher: threading.Thread | None = None

    def verify(self, authorization: str | None) -> Principal:
        known = self.known(authorization)
        if known is not None:
            return known
        now = self._clock()
        principal = self._verified(parse(bearer(authorization, self._max_bytes)), now)
        self._token_cache.put(authorization or "", principal, now)
        return principal

    def known(self, authorization: str | None) -> Principal | None:
        return self._token_cache.get(authorization, self._clock())

    def keys_loaded(self) -> Mapping[str, bool]:
        return {issuer.name: keys.loaded for issuer, keys in self._issuers}

    def start(self) -> None:
        """Start refreshing keys. To be called in the process that serves, since threads do not survive a fork."""
        if self._refresher is None:
            self._refresher = threading.Thread(target=self._refresh, name="key-refresher", daemon=True)
            self._refresher.start()

    def refresh(self) -> float:
        """Begin to fetch keys that are missing or old; returns the seconds until the next call."""
        for _, keys in self._issuers:
            keys.refresh()
        return _ROUND if all(keys.loaded for _, keys in self._issuers) else _FIRST_ROUND

    def close(self) -> None:
        self._ended.set()
        if self._refresher is not None:
            self._refresher.join()

    def _verified(self, token: Token, now: float) -> Principal:
        """The verified principal. Cheap checks come first, so that an invalid token causes no fetch of keys."""
        if token.algorithm not in self._algorithms:
            raise InvalidToken("the token's algorithm is not accepted")
        issuer, keys, name = self._issuer(token)
        check_times(token.claims, now, self._leeway)
        if not is_meant(token.claims, issuer):
            raise InvalidToken("audience mismatch: the token is for another service")
        self._check_signature(token, keys.candidates(token, name))
        principal = principal_of(token, issuer, name, self._catalogue)
        if now < principal.expires_at:
            return principal
        # It may wait for as long as it is accepted.
        return replace(principal, expires_at=principal.expires_at + self._leeway)

    def _issuer(self, token: Token) -> tuple[TrustedIssuer, IssuerKeys, str]:
        """The token's issuer; of several candidates, such as bindings of one tenant, the one whose audience matches."""
        named = [(issuer, keys, issuer.issued(token.claims)) for issuer, keys in self._issuers]
        trusted = [(issuer, keys, name) for issuer, keys, name in named if name is not None]
        if not trusted:
            raise InvalidToken("the token's issuer is not trusted")
        return next((found for found in trusted if is_meant(token.claims, found[0])), trusted[0])

    def _check_signature(self, token: Token, candidates: Candidates) -> None:
        if not candidates.keys:
            raise InvalidToken("no key with the token's kid")
        for candidate in candidates.keys:
            try:
                self._signatures.decode_complete(token.encoded, candidate.key, algorithms=[token.algorithm])
            except (jwt.PyJWTError, ValueError, TypeError):
                continue
            candidates.proved()
            return
        raise InvalidToken("invalid signature")

    def _refresh(self) -> None:
        while not self._ended.wait(self.refresh()):
            pass
