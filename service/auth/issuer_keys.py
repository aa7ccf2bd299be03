"""The keys of one trusted issuer, whatever their source."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from service.auth.discovery import discovered_keys
from service.auth.issuers import KeySource, TrustedIssuer
from service.auth.key_rings import FETCH_BYTES, FETCH_SECONDS, Fetch, KeyRing, State
from service.auth.keys import VerificationKey, read_pem
from service.auth.ring_table import RingTable
from service.auth.tokens import Token
from service.domain.errors import InvalidToken, KeysUnavailable

IdentifiedFetch = Callable[[str, float, int, Mapping[str, str]], bytes]
"""A ``Fetch`` that sends headers along."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """The keys that a token may have been signed with; to be told when one of them did."""

    keys: list[VerificationKey]
    proved: Callable[[], None]


class IssuerKeys:
    """One key ring for an issuer, one for each zone of a binding. ``clock`` in seconds.

    Without ``identified``, which the rules of Identity Authentication need, only the issuer of the binding itself
    counts and no other below its domains. Raises ``ValueError`` for a static key that cannot be read.
    """

    def __init__(
        self,
        issuer: TrustedIssuer,
        fetch: Fetch,
        *,
        identified: IdentifiedFetch | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._issuer = issuer
        self._fetch = fetch
        self._identified = identified
        self._clock = clock
        self._static = [read_pem(issuer.static_key)] if issuer.static_key else []
        self._rings = RingTable(self._ring, clock)
        self._first = self._rings.keep(issuer.first_source) if issuer.first_source else None

    @property
    def loaded(self) -> bool:
        """Whether tokens can be verified; where only they can say with which keys, nothing is loaded ahead."""
        return bool(self._static) or self._first is None or self._first.loaded

    def candidates(self, token: Token, issuer: str) -> Candidates:
        """The keys that may have signed a token of ``issuer``. Raises ``InvalidToken`` and ``KeysUnavailable``."""
        source = self._source(token, issuer)
        ring = self._rings.ring(source)
        static = [key for key in self._static if token.algorithm in key.algorithms]
        try:
            if ring is None:
                raise KeysUnavailable("the keys of too many zones are asked for")
            keys = ring.keys(token.key_id, token.algorithm)
        except KeysUnavailable:
            own = ring is not None and ring is self._first
            if not static and (own or not self._has_answered()):
                raise
            keys = []
        return Candidates(keys or static, partial(self._rings.proved, source))

    def refresh(self) -> None:
        for ring in self._rings.proven():
            ring.refresh()

    def _source(self, token: Token, issuer: str) -> KeySource:
        try:
            source = self._issuer.key_source(issuer, token.claims)
        except ValueError:
            raise InvalidToken("the token's tenant is missing or malformed") from None
        if source.headers and self._identified is None:
            raise InvalidToken("the token's issuer is not trusted")
        return source

    def _has_answered(self) -> bool:
        """Whether the server of a family of zones is there, so that a zone it does not know is the token's fault."""
        return any(ring.loaded or ring.state is State.REFUSED for ring in self._rings.all())

    def _ring(self, source: KeySource) -> KeyRing:
        return KeyRing(source.url, partial(self._load, source), clock=self._clock)

    def _load(self, source: KeySource) -> bytes:
        fetch = self._fetch
        if source.headers and self._identified is not None:
            fetch = partial(_with_headers, self._identified, dict(source.headers))
        if source.discover:
            return discovered_keys(source.url, fetch)
        return fetch(source.url, FETCH_SECONDS, FETCH_BYTES)


def _with_headers(
    fetch: IdentifiedFetch, headers: Mapping[str, str], url: str, timeout: float, max_bytes: int
) -> bytes:
    return fetch(url, timeout, max_bytes, headers)
