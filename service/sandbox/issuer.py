"""Tokens of the sandbox: for users of the service, and for clients of the runtime itself.

An :class:`Issuer` needs the data directory and the issuer's URL and nothing else: no server has to run.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt

from service.sandbox import keys
from service.sandbox.keys import Algorithm, Key

USER_AUDIENCE = "metric-resource"
RUNTIME_AUDIENCE = "ai-api"
PAGE_CLIENT = "page"
"""The public client of pages that sign users in."""
CLIENT_SECONDS = 12 * 3600


@dataclass(frozen=True, slots=True)
class Issuer:
    """An OpenID issuer. ``url`` is the ``iss`` of its tokens, without a slash at its end."""

    url: str
    keys: Mapping[Algorithm, Key]

    @classmethod
    def at(cls, data_dir: Path, url: str) -> Issuer:
        """The issuer whose keys are in ``data_dir``; makes them where they are missing."""
        keys.make(data_dir)
        return cls(url.rstrip("/"), keys.load(data_dir))

    def mint(
        self,
        *,
        roles: Sequence[str] = (),
        scopes: Sequence[str] = (),
        role_collections: Sequence[str] = (),
        zone: str | None = None,
        subject: str = "demo-user",
        tenant: str | None = None,
        resource_groups: Sequence[str] = (),
        audience: str | Sequence[str] = USER_AUDIENCE,
        lifetime: int = 3600,
        algorithm: str = Algorithm.RS256,
        claims: Mapping[str, Any] | None = None,
    ) -> str:
        """A signed access token for a user of the service.

        ``roles`` go into ``roles``, ``scopes`` into ``scope`` (separated by spaces), ``role_collections`` into
        ``xs.system.attributes`` → ``xs.rolecollections``, ``zone`` (an IANA name) into ``zoneinfo``, ``tenant`` into
        ``zid``, ``resource_groups`` into ``xs.user.attributes`` → ``allowed_all_resourcegroups``; what is empty is
        left out. ``lifetime`` is in seconds; a negative one gives a token that has expired. ``claims`` are added
        last and win; one that is ``None`` removes the claim.
        """
        payload = self._registered(subject, audience, lifetime) | {
            "roles": list(roles),
            "scope": " ".join(scopes),
            "xs.system.attributes": {"xs.rolecollections": list(role_collections)} if role_collections else None,
            "xs.user.attributes": {"allowed_all_resourcegroups": list(resource_groups)} if resource_groups else None,
            "zoneinfo": zone,
            "zid": tenant,
        }
        kept = {name: value for name, value in payload.items() if value} | dict(claims or {})
        return self._sign({name: value for name, value in kept.items() if value is not None}, Algorithm(algorithm))

    def mint_for_client(self, client_id: str) -> str:
        """An access token for a client of the runtime, good for :data:`CLIENT_SECONDS`."""
        payload = self._registered(client_id, RUNTIME_AUDIENCE, CLIENT_SECONDS)
        return self._sign(payload | {"client_id": client_id}, Algorithm.RS256)

    def is_for_runtime(self, token: str) -> bool:
        """Whether ``token`` opens the runtime: signed here, not expired, meant for the runtime."""
        try:
            key = self._key(jwt.get_unverified_header(token))
            jwt.decode(
                token,
                key.private.public_key(),
                algorithms=[key.algorithm],
                audience=RUNTIME_AUDIENCE,
                issuer=self.url,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
        except (jwt.InvalidTokenError, LookupError):
            return False
        return True

    def key_set(self) -> dict[str, Any]:
        """The public keys, as a JSON Web Key Set."""
        return {"keys": [key.public for key in self.keys.values()]}

    def _key(self, header: Mapping[str, Any]) -> Key:
        """The key that a token's header names; ``LookupError`` where there is none."""
        return {key.id: key for key in self.keys.values()}[str(header.get("kid"))]

    def _registered(self, subject: str, audience: str | Sequence[str], lifetime: int) -> dict[str, Any]:
        now = int(time.time())
        return {
            "iss": self.url,
            "sub": subject,
            "aud": audience if isinstance(audience, str) else list(audience),
            "iat": min(now, now + lifetime),
            "exp": now + lifetime,
            "jti": str(uuid.uuid4()),
        }

    def _sign(self, payload: dict[str, Any], algorithm: Algorithm) -> str:
        key = self.keys[algorithm]
        return jwt.encode(payload, key.private, str(algorithm), headers={"kid": key.id, "typ": "at+jwt"})


def mint_token(data_dir: Path, issuer: str, **claims: Any) -> str:
    """As :meth:`Issuer.mint`, for the sandbox that keeps its data in ``data_dir``.

    ``FileNotFoundError`` where no sandbox was ever started there.
    """
    return Issuer(issuer.rstrip("/"), keys.load(data_dir)).mint(**claims)
