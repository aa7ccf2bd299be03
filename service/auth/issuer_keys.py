"""The keys of one trusted issuer, whatever their source."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable

from service.auth.issuers import Dialect, TrustedIssuer
from service.auth.key_rings import FETCH_BYTES, FETCH_SECONDS, Fetch, KeyRing, discovered
from service.auth.keys import VerificationKey, read_pem
from service.auth.tokens import Token
from service.domain.errors import InvalidToken, KeysUnavailable

_MOST_RINGS = 100
_NEW_RINGS, _NEW_RINGS_SECONDS = 5, 15.0


class IssuerKeys:
    """Key rings by where their keys are: one for an issuer, one for each zone of an XSUAA binding.

    Only a few new rings a time are opened, however many zones tokens name.
    """

    def __init__(self, issuer: TrustedIssuer, fetch: Fetch, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._issuer = issuer
        self._fetch = fetch
        self._clock = clock
        self._rings: OrderedDict[str, KeyRing] = OrderedDict()
        self._opened: deque[float] = deque(maxlen=_NEW_RINGS)
        self._lock = threading.Lock()
        self._static = [read_pem(issuer.static_key)] if issuer.static_key else []
        if issuer.issuer is not None and issuer.dialect is not Dialect.XSUAA:
            self._ring(issuer.jwks_url or issuer.issuer, issuer.issuer)

    @property
    def loaded(self) -> bool:
        rings = list(self._rings.values())
        return bool(self._static) or self._issuer.dialect is Dialect.XSUAA or any(ring.loaded for ring in rings)

    def candidates(self, token: Token) -> list[VerificationKey]:
        """The keys that may have signed the token. Raises ``InvalidToken`` and ``KeysUnavailable``."""
        static = [key for key in self._static if token.algorithm in key.algorithms]
        try:
            url = self._issuer.key_url(token.claims["iss"], token.claims.get("zid"))
        except ValueError:
            raise InvalidToken("the token's zone is malformed") from None
        ring = self._ring(url or token.claims["iss"], token.claims["iss"])
        try:
            if ring is None:
                raise KeysUnavailable("too many zones were asked for")
            return ring.keys(token.key_id, token.algorithm) or static
        except KeysUnavailable:
            if not static:
                raise
            return static

    def refresh(self) -> None:
        for ring in list(self._rings.values()):
            ring.refresh()

    def _ring(self, place: str, issuer: str) -> KeyRing | None:
        with self._lock:
            ring = self._rings.get(place)
            if ring is not None:
                self._rings.move_to_end(place)
                return ring
            now = self._clock()
            if len(self._opened) == _NEW_RINGS and now - self._opened[0] < _NEW_RINGS_SECONDS:
                return None
            self._opened.append(now)
            ring = self._rings[place] = KeyRing(place, self._loader(place, issuer), clock=self._clock)
            if len(self._rings) > _MOST_RINGS:
                oldest = next((name for name, old in self._rings.items() if not old.loaded), next(iter(self._rings)))
                del self._rings[oldest]
            return ring

    def _loader(self, place: str, issuer: str) -> Callable[[], bytes]:
        if place == issuer:
            return lambda: discovered(issuer, self._fetch)
        return lambda: self._fetch(place, FETCH_SECONDS, FETCH_BYTES)
