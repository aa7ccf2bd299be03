"""The keys of one trusted issuer, whatever their source."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import msgspec

from service.auth.discovery import discovered_keys
from service.auth.issuers import KeySource, TrustedIssuer
from service.auth.key_ring_table import RingTable
from service.auth.key_rings import FETCH_BYTES, FETCH_SECONDS, Fetch, KeyRing, Places, State
from service.auth.tokens import Token
from service.auth.verification_keys import VerificationKey, read_pem
from service.domain.errors import InvalidToken, KeysUnavailable


class Candidates(msgspec.Struct, frozen=True):
    """The keys that may have signed a token; call ``proved`` when one of them verified it."""

    keys: list[VerificationKey]
    proved: Callable[[], None]


class IssuerKeys:
    """One key ring for an issuer, one for each zone of a binding. ``clock`` in seconds.

    Raises ``ValueError`` for a static key that cannot be read.
    """

    def __init__(
        self,
        issuer: TrustedIssuer,
        fetch: Fetch,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._issuer = issuer
        self._fetch = fetch
        self._clock = clock
        self._places = Places()
        self._static = [read_pem(issuer.static_key)] if issuer.static_key else []
        self._rings = RingTable(self._ring, clock)
        self._first = self._rings.keep(issuer.first_source) if issuer.first_source else None

    @property
    def loaded(self) -> bool:
        """Whether tokens can be verified; true where keys are only loaded for the tokens that need them."""
        return bool(self._static) or self._first is None or self._first.loaded

    def candidates(self, token: Token, issuer: str) -> Candidates:
        """The keys that may have signed a token of ``issuer``. Raises ``InvalidToken`` and ``KeysUnavailable``.

        The static key is used where the key set cannot be loaded, and for a key id that is not in the set. For a token
        without a key id it is used only where the set cannot be loaded.
        """
        source = self._source(token, issuer)
        ring = self._rings.ring(source)
        static = [key for key in self._static if token.algorithm in key.algorithms]
        try:
            if ring is None:
                raise KeysUnavailable("tokens name too many zones whose keys are not known")
            keys = ring.keys(token.key_id, token.algorithm)
        except KeysUnavailable:
            if not static and not self._is_tokens_fault(ring):
                raise
            keys = static
        else:
            keys = keys or (static if token.key_id is not None else [])
        return Candidates(keys, partial(self._rings.proved, source))

    def refresh(self) -> None:
        for ring in self._rings.proven():
            ring.refresh()

    def _source(self, token: Token, issuer: str) -> KeySource:
        try:
            return self._issuer.key_source(issuer, token.claims)
        except ValueError:
            raise InvalidToken("the token's tenant or client is missing or malformed") from None

    def _is_tokens_fault(self, ring: KeyRing | None) -> bool:
        """Whether keys are missing because of the token: it names a zone or tenant that the server does not know, or
        one of too many. Keys that no token has to name are missing because of the issuer."""
        if ring is None:
            return any(one.loaded or one.state is State.REFUSED for one in self._rings.all())
        return ring is not self._first and ring.state is State.REFUSED

    def _ring(self, source: KeySource) -> KeyRing:
        return KeyRing(source.url, partial(self._load, source), self._places, clock=self._clock)

    def _load(self, source: KeySource) -> bytes:
        headers = dict(source.headers)
        if source.discover:
            return discovered_keys(source.url, self._fetch, headers, clock=self._clock)
        return self._fetch(source.url, FETCH_SECONDS, FETCH_BYTES, headers)
